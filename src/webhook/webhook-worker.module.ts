import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { WebhookBacklogRepository } from './webhook-backlog.repository.js';
import { WebhookBacklogRetention } from './webhook-backlog-retention.service.js';
import { WebhookBacklogRetentionSweep } from './webhook-backlog-retention.sweep.js';
import { WebhookReencryption } from './webhook-reencryption.service.js';
import { WebhookReencryptionSweep } from './webhook-reencryption.sweep.js';
import { WebhookSealRepository } from './webhook-seal.repository.js';
import { WebhookSelfPauseRepository } from './webhook-self-pause.repository.js';
import { WebhookSelfPause } from './webhook-self-pause.service.js';
import { WebhookTargetsModule } from './webhook-targets.module.js';
import { WebhookRepository } from './webhook.repository.js';

/** Subscriptions from the side of workers: what there is, and pausing what is lost. */
@Module({
  imports: [AuditModule, EventLogModule, OperationsModule, WebhookTargetsModule],
  providers: [
    WebhookBacklogRepository,
    WebhookBacklogRetention,
    WebhookBacklogRetentionSweep,
    WebhookReencryption,
    WebhookReencryptionSweep,
    WebhookRepository,
    WebhookSealRepository,
    WebhookSelfPause,
    WebhookSelfPauseRepository,
  ],
  exports: [WebhookSelfPause, WebhookTargetsModule],
})
export class WebhookWorkerModule {}
