import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { CdcWorkerModule } from '../cdc/cdc-worker.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { WebhookWorkerModule } from '../webhook/webhook-worker.module.js';
import { AttemptResults } from './attempt-results.service.js';
import { AutoPause } from './auto-pause.service.js';
import { CatchUpReconciliation } from './catch-up-reconciliation.js';
import { CatchUpRepository } from './catch-up.repository.js';
import { CatchUpRouting } from './catch-up-routing.service.js';
import { CatchUp } from './catch-up.service.js';
import { CatchUpSweep } from './catch-up.sweep.js';
import { DeliveryClaims } from './delivery-claims.service.js';
import { DeliveryDeaths } from './delivery-deaths.service.js';
import { DeliveryCounters } from './delivery-counters.service.js';
import { DeliveryGauges } from './delivery-gauges.service.js';
import { DeliveryFiguresRepository } from './delivery-figures.repository.js';
import { DeliveryPeriods } from './delivery-periods.service.js';
import { DeliveryPump } from './delivery-pump.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { DeliveryRetentionRepository } from './delivery-retention.repository.js';
import { DeliveryRetentionSweep } from './delivery-retention.sweep.js';
import { DeliveryRouting } from './delivery-routing.service.js';
import { DeliverySender } from './delivery-sender.service.js';
import { LeaseTimes } from './lease-times.js';
import { DeliveryStandingModule } from './delivery-standing.module.js';
import { DeliverySweep } from './delivery.sweep.js';
import { DueLanes } from './due-lanes.service.js';
import { LaneHealthRepository } from './lane-health.repository.js';
import { LaneHealth } from './lane-health.service.js';
import { Settlement } from './settlement.service.js';
import { ReplayCompletion } from './replay-completion.service.js';
import { ReplayReconciliation } from './replay-reconciliation.js';
import { ReplayRepository } from './replay.repository.js';
import { ReplayRuns } from './replay-runs.service.js';
import { ReplaySweep } from './replay.sweep.js';
import { RoutingPace } from './routing-pace.service.js';
import { SettlementRepository } from './settlement.repository.js';
import { TargetRefreshSweep } from './target-refresh.sweep.js';

/** Routing, sending, settling: what runs in workers. */
@Module({
  imports: [
    AuditModule,
    CdcModule,
    CdcWorkerModule,
    DeliveryStandingModule,
    EventLogModule,
    OperationsModule,
    WebhookWorkerModule,
  ],
  providers: [
    AttemptResults,
    AutoPause,
    CatchUp,
    CatchUpReconciliation,
    CatchUpRepository,
    CatchUpRouting,
    CatchUpSweep,
    DeliveryClaims,
    DeliveryCounters,
    DeliveryDeaths,
    DeliveryFiguresRepository,
    DeliveryGauges,
    DeliveryPeriods,
    DeliveryPump,
    DeliveryRepository,
    DeliveryRetentionRepository,
    DeliveryRetentionSweep,
    DeliveryRouting,
    DeliverySender,
    LeaseTimes,
    DeliverySweep,
    DueLanes,
    LaneHealth,
    LaneHealthRepository,
    ReplayCompletion,
    ReplayReconciliation,
    ReplayRepository,
    ReplayRuns,
    ReplaySweep,
    RoutingPace,
    Settlement,
    SettlementRepository,
    TargetRefreshSweep,
  ],
  exports: [DeliveryPeriods],
})
export class DeliveryWorkerModule {}
