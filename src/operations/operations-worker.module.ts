import { Module } from '@nestjs/common';
import { OperationGauges } from './operation-gauges.service.js';
import { OperationReconciler } from './operation-reconciler.service.js';
import { OperationReconcilerSweep } from './operation-reconciler.sweep.js';
import { OperationRetentionSweep } from './operation-retention.sweep.js';
import { OperationRunRepository } from './operation-run.repository.js';
import { OperationsModule } from './operations.module.js';

/** What becomes of runs whose worker is gone, and of old ones. */
@Module({
  imports: [OperationsModule],
  providers: [
    OperationGauges,
    OperationReconciler,
    OperationReconcilerSweep,
    OperationRetentionSweep,
    OperationRunRepository,
  ],
})
export class OperationsWorkerModule {}
