import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { WebhookModule } from '../webhook/webhook.module.js';
import { WebhookTargetsModule } from '../webhook/webhook-targets.module.js';
import { DeliveryDeaths } from './delivery-deaths.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { DeliverySender } from './delivery-sender.service.js';
import { LeaseTimes } from './lease-times.js';
import { ReplayOrders } from './replay-orders.service.js';
import { ReplayRepository } from './replay.repository.js';
import { ReplaySending } from './replay-sending.service.js';
import { SettlementRepository } from './settlement.repository.js';
import { WebhookReplay } from './webhook-replay.service.js';

/** Sending events once more because somebody asks for it. */
@Module({
  imports: [AuditModule, CdcModule, EventLogModule, OperationsModule, WebhookModule, WebhookTargetsModule],
  providers: [
    DeliveryDeaths,
    DeliveryRepository,
    DeliverySender,
    LeaseTimes,
    ReplayOrders,
    ReplayRepository,
    ReplaySending,
    SettlementRepository,
    WebhookReplay,
  ],
  exports: [ReplayOrders, WebhookReplay],
})
export class WebhookReplayModule {}
