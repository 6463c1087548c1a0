import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { BulkJobEnds } from './bulk-job-ends.service.js';
import { BulkJobFailures } from './bulk-job-failures.service.js';
import { BulkJobRepository } from './bulk-job.repository.js';
import { BulkJobView } from './bulk-job-view.service.js';
import { BulkMeters } from './bulk-meters.service.js';
import { BulkReconciliation } from './bulk-reconciliation.js';
import { BulkRuns } from './bulk-runs.service.js';
import { BulkSweep } from './bulk.sweep.js';
import { BulkUpkeepRepository } from './bulk-upkeep.repository.js';
import { BulkUpkeep } from './bulk-upkeep.service.js';
import { BulkUpkeepSweep } from './bulk-upkeep.sweep.js';
import { BulkWork } from './bulk-work.service.js';
import { BulkWorkRepository } from './bulk-work.repository.js';
import { ExportRun } from './export-run.service.js';
import { ImportAppend } from './import-append.service.js';
import { ImportChunkRepository } from './import-chunk.repository.js';
import { ImportReports } from './import-reports.service.js';
import { ImportRun } from './import-run.service.js';
import { ImportSource } from './import-source.js';
import { JobLeases } from './job-leases.service.js';
import { LateReports } from './late-reports.service.js';

/** Imports and exports as workers do them. */
@Module({
  imports: [AuditModule, CdcModule, EventLogModule, OperationsModule],
  providers: [
    BulkJobEnds,
    BulkJobFailures,
    BulkJobRepository,
    BulkJobView,
    BulkMeters,
    BulkReconciliation,
    BulkRuns,
    BulkSweep,
    BulkUpkeep,
    BulkUpkeepRepository,
    BulkUpkeepSweep,
    BulkWork,
    BulkWorkRepository,
    ExportRun,
    ImportAppend,
    ImportChunkRepository,
    ImportReports,
    ImportRun,
    ImportSource,
    JobLeases,
    LateReports,
  ],
})
export class BulkWorkerModule {}
