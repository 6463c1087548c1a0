import { Module } from '@nestjs/common';
import { CdcWorkerModule } from '../cdc/cdc-worker.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { DeliveryWorkerModule } from '../delivery/delivery-worker.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { InboxDeliveries } from './inbox-deliveries.service.js';
import { InboxDeliveryRepository } from './inbox-delivery.repository.js';
import { InboxDeliverySweep } from './inbox-delivery.sweep.js';
import { KpiMeters } from './kpi-meters.service.js';
import { KpiReconciliation } from './kpi-reconciliation.js';
import { KpiRecorderModule } from './kpi-recorder.module.js';
import { KpiRollupRuns } from './kpi-rollup-runs.service.js';
import { KpiRollupSweep } from './kpi-rollup.sweep.js';
import { MissingBuckets } from './missing-buckets.service.js';
import { MissingBucketsSweep } from './missing-buckets.sweep.js';
import { OwnDays } from './own-days.service.js';
import { OwnKpiProgressRepository } from './own-kpi-progress.repository.js';
import { OwnKpis } from './own-kpis.service.js';
import { OwnKpisSweep } from './own-kpis.sweep.js';
import { OwnWorks } from './own-work.service.js';
import { RollupSteps } from './rollup-steps.service.js';

/** What goes on behind figures and alerts: inboxes are told, missing buckets noticed, IPM's own work recorded, figures rolled up. */
@Module({
  imports: [CdcWorkerModule, DeliveryWorkerModule, EventLogModule, KpiRecorderModule, OperationsModule],
  providers: [
    InboxDeliveries,
    InboxDeliveryRepository,
    InboxDeliverySweep,
    KpiMeters,
    KpiReconciliation,
    KpiRollupRuns,
    KpiRollupSweep,
    MissingBuckets,
    MissingBucketsSweep,
    OwnDays,
    OwnKpiProgressRepository,
    OwnKpis,
    OwnKpisSweep,
    OwnWorks,
    RollupSteps,
  ],
})
export class KpiWorkerModule {}
