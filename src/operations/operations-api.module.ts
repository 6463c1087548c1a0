import { Module } from '@nestjs/common';
import { OperationViewRepository } from './operation-view.repository.js';
import { OperationView } from './operation-view.service.js';

/** Long pieces of work, from the side of who looks at them. */
@Module({ providers: [OperationView, OperationViewRepository], exports: [OperationView] })
export class OperationsApiModule {}
