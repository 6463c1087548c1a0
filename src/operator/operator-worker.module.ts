import { Module } from '@nestjs/common';
import { OperationsModule } from '../operations/operations.module.js';
import { BulkActReconciliation } from './bulk-act-reconciliation.js';
import { BulkActRuns } from './bulk-act-runs.service.js';
import { BulkActSweep } from './bulk-act.sweep.js';
import { OperatorModule } from './operator.module.js';

/** Acts on many dead letters: what runs in workers. */
@Module({ imports: [OperationsModule, OperatorModule], providers: [BulkActReconciliation, BulkActRuns, BulkActSweep] })
export class OperatorWorkerModule {}
