import type { WebhookFiguresShown } from './webhook.dto.js';

/** How the deliveries of a webhook fare; room `delivery` is the one that knows. */
export abstract class WebhookFigures {
  abstract of(orgcode: string, webhookId: string): Promise<WebhookFiguresShown>;
}
