import { Injectable, Module } from '@nestjs/common';
import { BuiltinCatalog } from '../catalog/builtin-catalog.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CatalogRepository, type TypeName } from '../catalog/catalog.repository.js';
import type { EventTypeDefinition } from '../catalog/event-type.js';
import { Database } from '../platform/database/database.js';

/** Versions of event types exactly as they were given, where the catalog's own answers merge them with the built-in ones. */
@Injectable()
export class RegisteredVersions {
  constructor(
    private readonly database: Database,
    private readonly builtin: BuiltinCatalog,
    private readonly registered: CatalogRepository,
  ) {}

  async find(orgcode: string, name: TypeName, version: string): Promise<EventTypeDefinition | undefined> {
    const builtin = this.builtin.find(name.service, name.action, version);
    return builtin ?? this.database.read(orgcode, (db) => this.registered.find(db, orgcode, name, version));
  }
}

@Module({ imports: [CatalogModule], providers: [BuiltinCatalog, CatalogRepository, RegisteredVersions] })
export class RegisteredVersionsModule {}
