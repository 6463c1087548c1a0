import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { WebhookFigures } from '../webhook/webhook-figures.service.js';
import type { WebhookBacklog, WebhookDeliveries, WebhookFiguresShown } from '../webhook/webhook.dto.js';
import { AGE_CLASSES, ageQuantile } from './age-classes.js';
import { DeliveryFiguresRepository, type TallyRow } from './delivery-figures.repository.js';

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

function summed(rows: readonly TallyRow[]): WebhookDeliveries['day'] {
  const ages = new Array<number>(AGE_CLASSES).fill(0);
  const sum = { delivered: 0, failed: 0, dead: 0 };
  for (const row of rows) {
    sum.delivered += row.delivered;
    sum.failed += row.failed;
    sum.dead += row.dead;
    row.ages.forEach((count, place) => (ages[place] = (ages[place] ?? 0) + count));
  }
  const calls = sum.delivered + sum.failed;
  const p95 = ageQuantile(ages, 0.95);
  return {
    ...sum,
    ...(calls > 0 && { success_ratio: Math.round((sum.delivered / calls) * 10_000) / 10_000 }),
    ...(p95 !== undefined && { p95_age_ms: p95 }),
  };
}
