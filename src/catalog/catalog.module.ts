import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { BuiltinCatalog } from './builtin-catalog.js';
import { CatalogRepository } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import { EventChecks } from './event-checks.service.js';
import { ExportContractService } from './export-contract.service.js';
import { SpecimenService } from './specimen.service.js';

/** What can be said on the wire: event types, export contracts, lifecycles, specimens, paging. */
@Module({
  imports: [AuditModule],
  providers: [BuiltinCatalog, CatalogRepository, CatalogService, EventChecks, ExportContractService, SpecimenService],
  exports: [CatalogService, EventChecks, ExportContractService, SpecimenService],
})
export class CatalogModule {}
