import { Module } from '@nestjs/common';
import { OperationRunRepository } from './operation-run.repository.js';
import { OperationRuns } from './operation-runs.service.js';

/** Long pieces of work, visible to operators. */
@Module({ providers: [OperationRunRepository, OperationRuns], exports: [OperationRuns] })
export class OperationsModule {}
