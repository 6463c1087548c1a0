import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { EventLogModule } from '../cdc/event-log.module.js';
import { TakenWebhooks } from './taken-webhooks.service.js';
import { WebhookFilterTest } from './webhook-filter-test.service.js';
import { WebhookReading } from './webhook-reading.service.js';
import { WebhookRules } from './webhook-rules.service.js';
import { WebhookRepository } from './webhook.repository.js';
import { WebhookService } from './webhook.service.js';
import { WebhookTargetsModule } from './webhook-targets.module.js';
import { WebhookUpdates } from './webhook-update.service.js';

/** Subscriptions: who wants which events, where they go, and with which secret they are signed. */
@Module({
  imports: [AuditModule, CdcModule, EventLogModule, WebhookTargetsModule],
  providers: [
    TakenWebhooks,
    WebhookFilterTest,
    WebhookReading,
    WebhookRepository,
    WebhookRules,
    WebhookService,
    WebhookUpdates,
  ],
  exports: [WebhookFilterTest, WebhookReading, WebhookService, WebhookUpdates],
})
export class WebhookModule {}
