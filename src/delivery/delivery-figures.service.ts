import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { WebhookFigures } from '../webhook/webhook-figures.service.js';
import type { WebhookBacklog, WebhookFiguresShown } from '../webhook/webhook.dto.js';
import { DeliveryFiguresRepository } from './delivery-figures.repository.js';
import { summed } from './tally-sum.js';

const MAX_COUNTED = 100_000;

/** What is told of a webhook's deliveries in `webhook/get`. */
@Injectable()
export class DeliveryFigures extends WebhookFigures {
  constructor(
    private readonly database: Database,
    private readonly repository: DeliveryFiguresRepository,
  ) {
    super();
  }

  override of(orgcode: string, webhookId: string): Promise<WebhookFiguresShown> {
    return this.database.read(orgcode, async (db) => {
      const rows = await this.repository.lastDay(db, orgcode, webhookId);
      const backlog = await this.repository.backlog(db, orgcode, webhookId, MAX_COUNTED);
      const { due = 0, oldestDueAt = null, gaps = [] } = backlog ?? {};
      const shown: WebhookBacklog = {
        due,
        ...(oldestDueAt && { oldest_due_at: oldestDueAt.toISOString() }),
        gaps: gaps.map(({ after, to }) => ({ after_position: after, to_position: to })),
      };
      const deliveries = { hour: summed(rows.filter(({ isOfLastHour }) => isOfLastHour)), day: summed(rows) };
      return { deliveries, backlog: shown };
    });
  }
}
