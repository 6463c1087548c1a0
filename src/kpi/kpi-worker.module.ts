import { Module } from '@nestjs/common';
import { InboxDeliveries } from './inbox-deliveries.service.js';
import { InboxDeliveryRepository } from './inbox-delivery.repository.js';
import { InboxDeliverySweep } from './inbox-delivery.sweep.js';

/** What goes on behind figures and alerts: inboxes are told. */
@Module({ providers: [InboxDeliveries, InboxDeliveryRepository, InboxDeliverySweep] })
export class KpiWorkerModule {}
