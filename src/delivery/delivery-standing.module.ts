import { Module } from '@nestjs/common';
import { DeliveryStanding } from './delivery-standing.service.js';
import { QueueState } from './queue-state.repository.js';

@Module({ providers: [DeliveryStanding, QueueState], exports: [DeliveryStanding] })
export class DeliveryStandingModule {}
