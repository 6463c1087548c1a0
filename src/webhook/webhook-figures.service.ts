import type { WebhookFiguresShown } from './webhook.dto.js';
import type { WebhookColumn } from './webhook.repository.js';

export type { WebhookColumn };

/** How the deliveries of a webhook fare; room `delivery` is the one that knows. */
export abstract class WebhookFigures<Figures = unknown> {
  /** Selected with the webhook: one read, of one instant. */
  abstract column(): WebhookColumn;

  abstract shown(figures: Figures): WebhookFiguresShown;
}
