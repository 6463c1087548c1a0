import { Injectable } from '@nestjs/common';
import { WebhookFigures, type WebhookColumn } from '../webhook/webhook-figures.service.js';
import type { WebhookBacklog, WebhookFiguresShown } from '../webhook/webhook.dto.js';
import { DeliveryFiguresRepository, type WebhookFiguresRow } from './delivery-figures.repository.js';
import { summed } from './tally-sum.js';

/** What is told of a webhook's deliveries in `webhook/get`. */
@Injectable()
export class DeliveryFigures extends WebhookFigures<WebhookFiguresRow> {
  constructor(private readonly repository: DeliveryFiguresRepository) {
    super();
  }

  override column(): WebhookColumn {
    return this.repository.ofWebhook();
  }

  override shown({ tallies, due, oldestDueAt, gaps }: WebhookFiguresRow): WebhookFiguresShown {
    const backlog: WebhookBacklog = {
      due,
      ...(oldestDueAt !== null && { oldest_due_at: new Date(oldestDueAt).toISOString() }),
      gaps: gaps.map(({ after, to }) => ({ after_position: after, to_position: to })),
    };
    const deliveries = { hour: summed(tallies.filter(({ isOfLastHour }) => isOfLastHour)), day: summed(tallies) };
    return { deliveries, backlog };
  }
}
