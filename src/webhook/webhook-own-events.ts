import type { OwnEvent } from '../cdc/own-events.service.js';
import type { WebhookRecord } from './webhook.repository.js';

/** What IPM says of subscriptions, as catalog/events/ipm describes it. The whole URL may hold a secret: only its host is told. */
export function webhookCreated(webhook: WebhookRecord): OwnEvent {
  return ownEvent('webhook.created', webhook, {
    endpoint_host: new URL(webhook.endpointUrl).host,
    status: webhook.status,
    event_filters: webhook.eventFilters,
  });
}

/** The same status again says nothing new. */
export function webhookStatusEvent(before: WebhookRecord, after: WebhookRecord, catchUp: boolean): OwnEvent[] {
  if (before.status === after.status) return [];
  if (after.status === 'paused')
    return [ownEvent('webhook.paused', after, { paused_after_position: String(after.pausedAfter ?? 0n) })];
  if (after.status === 'revoked') return [ownEvent('webhook.revoked', after, { from_status: before.status })];
  const [gap] = (after.gaps as { after: string; to: string }[]).slice(-1);
  return [
    ownEvent('webhook.resumed', after, {
      paused_at: (before.pausedAt ?? before.updatedAt).toISOString(),
      catch_up: catchUp,
      ...(catchUp && gap ? { backlog_after_position: gap.after, backlog_to_position: gap.to } : {}),
    }),
  ];
}

export function secretRotated(after: WebhookRecord): OwnEvent {
  const endsAt = after.previousSecretUntil ?? after.updatedAt;
  return ownEvent('webhook.secret_rotated', after, { previous_secret_expires_at: endsAt.toISOString() });
}

function ownEvent(action: string, { webhookId, revision }: WebhookRecord, payload: object): OwnEvent {
  return {
    action,
    resource: { type: 'webhook', id: webhookId },
    payload: { webhook_id: webhookId, ...payload, revision: String(revision) },
  };
}
