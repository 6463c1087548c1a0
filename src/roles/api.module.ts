import { Module } from '@nestjs/common';
import { AccessController } from '../access/access.controller.js';
import { AccessModule } from '../access/access.module.js';
import { AuditController } from '../audit/audit.controller.js';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogController } from '../catalog/catalog.controller.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CdcController } from '../cdc/cdc.controller.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { AuthenticationHook } from '../platform/http/authentication.hook.js';

/** The rooms that serve HTTP. */
@Module({
  imports: [AccessModule, AuditModule, CatalogModule, CdcModule],
  controllers: [AccessController, AuditController, CatalogController, CdcController],
  providers: [AuthenticationHook],
})
export class ApiModule {}
