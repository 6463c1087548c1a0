import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CdcModule } from '../cdc/cdc.module.js';
import { EventDeliveries } from '../cdc/event-deliveries.service.js';
import { WebhookFigures } from '../webhook/webhook-figures.service.js';
import { WebhookModule } from '../webhook/webhook.module.js';
import { WebhookTargetsModule } from '../webhook/webhook-targets.module.js';
import { DeliveryFiguresRepository } from './delivery-figures.repository.js';
import { DeliveryFigures } from './delivery-figures.service.js';
import { DeliveryReadingRepository } from './delivery-reading.repository.js';
import { DeliveryReading } from './delivery-reading.service.js';
import { DeliveryRetryRepository } from './delivery-retry.repository.js';
import { DeliveryRetry } from './delivery-retry.service.js';
import { WebhookTest } from './webhook-test.service.js';

/** What callers see of deliveries, and may do with them. */
@Module({
  imports: [AuditModule, CatalogModule, CdcModule, WebhookModule, WebhookTargetsModule],
  providers: [
    DeliveryFiguresRepository,
    DeliveryReading,
    DeliveryReadingRepository,
    DeliveryRetry,
    DeliveryRetryRepository,
    WebhookTest,
    { provide: EventDeliveries, useExisting: DeliveryReading },
    { provide: WebhookFigures, useClass: DeliveryFigures },
  ],
  exports: [DeliveryReading, DeliveryRetry, EventDeliveries, WebhookFigures, WebhookTest],
})
export class DeliveryModule {}
