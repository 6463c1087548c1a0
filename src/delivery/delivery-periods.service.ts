import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { WebhookDeliveries } from '../webhook/webhook.dto.js';
import { DeliveryFiguresRepository } from './delivery-figures.repository.js';
import { summed } from './tally-sum.js';

/** How all deliveries of an organisation fared in a time that begins and ends with a tally of five minutes. */
@Injectable()
export class DeliveryPeriods {
  constructor(
    private readonly database: Database,
    private readonly repository: DeliveryFiguresRepository,
  ) {}

  async of(orgcode: string, from: Date, to: Date): Promise<WebhookDeliveries['day']> {
    return summed(await this.database.read(orgcode, (db) => this.repository.inPeriod(db, orgcode, from, to)));
  }
}
