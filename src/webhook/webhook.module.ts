import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { WebhookReading } from './webhook-reading.service.js';
import { WebhookRules } from './webhook-rules.service.js';
import { WebhookRepository } from './webhook.repository.js';
import { WebhookSelfPauseRepository } from './webhook-self-pause.repository.js';
import { WebhookSelfPause } from './webhook-self-pause.service.js';
import { WebhookService } from './webhook.service.js';
import { WebhookTargetsModule } from './webhook-targets.module.js';

/** Subscriptions: who wants which events, where they go, and with which secret they are signed. */
@Module({
  imports: [AuditModule, EventLogModule, WebhookTargetsModule],
  providers: [
    WebhookReading,
    WebhookRepository,
    WebhookRules,
    WebhookSelfPause,
    WebhookSelfPauseRepository,
    WebhookService,
  ],
  exports: [WebhookReading, WebhookSelfPause, WebhookService],
})
export class WebhookModule {}
