import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error.js';
import { MAX_LIMIT } from '../platform/http/paging.js';
import { BuiltinCatalog } from './builtin-catalog.js';
import type { SpecimenData } from './catalog.dto.js';
import { catalogErrors } from './catalog.errors.js';
import { CatalogService } from './catalog.service.js';

/** Examples of everything on the wire: events by `service.action`, and the shapes around them. */
@Injectable()
export class SpecimenService {
  constructor(
    private readonly catalog: CatalogService,
    private readonly builtin: BuiltinCatalog,
  ) {}

  async one(orgcode: string, name: string): Promise<SpecimenData> {
    const shape = this.builtin.shapes.get(name);
    if (shape) return { name, specimen: shape.specimen };
    const [service = '', ...action] = name.split('.');
    const type = await this.catalog.findNewest(orgcode, { service, action: action.join('.') });
    if (!type?.specimen) throw new AppError(catalogErrors.specimenNotFound);
    return { name, specimen: type.specimen };
  }

  /** Shapes, built-in types and the first of the organisation's own, as many as a page holds. */
  async all(orgcode: string): Promise<SpecimenData> {
    const specimens: Record<string, object> = {};
    for (const shape of this.builtin.shapes.values()) specimens[shape.name] = shape.specimen;
    for (const type of this.builtin.newestTypes()) {
      if (type.specimen) specimens[`${type.service}.${type.action}`] = type.specimen;
    }
    for (const { type } of await this.catalog.newestTypes(orgcode, {}, undefined, MAX_LIMIT)) {
      if (type.specimen) specimens[`${type.service}.${type.action}`] = type.specimen;
    }
    return { specimens };
  }
}
