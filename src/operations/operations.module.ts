import { Module } from '@nestjs/common';
import { OperationAdapters } from './operation-adapters.service.js';
import { OperationRunRepository } from './operation-run.repository.js';
import { OperationRuns } from './operation-runs.service.js';

/** Long pieces of work, from the side of who does them. */
@Module({
  providers: [OperationAdapters, OperationRunRepository, OperationRuns],
  exports: [OperationAdapters, OperationRuns],
})
export class OperationsModule {}
