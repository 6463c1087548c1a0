import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { BulkExports } from './bulk-exports.service.js';
import { BulkImports } from './bulk-imports.service.js';
import { BulkJobRepository } from './bulk-job.repository.js';
import { BulkJobView } from './bulk-job-view.service.js';
import { BulkOrders } from './bulk-orders.service.js';
import { BulkReading } from './bulk-reading.service.js';
import { BulkTransfer } from './bulk-transfer.service.js';

/** Imports and exports as callers order and see them. */
@Module({
  imports: [AuditModule, CdcModule, EventLogModule, OperationsModule],
  providers: [BulkExports, BulkImports, BulkJobRepository, BulkJobView, BulkOrders, BulkReading, BulkTransfer],
  exports: [BulkExports, BulkImports, BulkReading, BulkTransfer],
})
export class BulkModule {}
