import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { AccessModule } from '../access/access.module.js';
import { BulkWorkerModule } from '../bulk/bulk-worker.module.js';
import { CdcWorkerModule } from '../cdc/cdc-worker.module.js';
import { DeliveryWorkerModule } from '../delivery/delivery-worker.module.js';
import { KpiWorkerModule } from '../kpi/kpi-worker.module.js';
import { OperationsWorkerModule } from '../operations/operations-worker.module.js';
import { OperatorWorkerModule } from '../operator/operator-worker.module.js';

/** The rooms that run jobs. Only here are the clocks of `@nestjs/schedule` wound, so only workers sweep. */
@Module({
  imports: [
    ScheduleModule.forRoot(),
    AccessModule,
    CdcWorkerModule,
    DeliveryWorkerModule,
    BulkWorkerModule,
    KpiWorkerModule,
    OperationsWorkerModule,
    OperatorWorkerModule,
  ],
})
export class WorkerModule {}
