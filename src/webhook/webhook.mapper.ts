import type { Keyring } from '../platform/secrets/keyring.js';
import { maskedHeaders } from './custom-headers.js';
import type { Webhook } from './webhook.dto.js';
import type { ShownWebhook } from './webhook.repository.js';

/** What a sealed value of a webhook is bound to, so that no row can lend its own to another. */
export function webhookSeal(orgcode: string, webhookId: string, what: 'signing_secret' | 'headers'): string {
  return [orgcode, webhookId, what].join('|');
}

export function sealedHeaders(
  { orgcode, webhookId }: Pick<ShownWebhook, 'orgcode' | 'webhookId'>,
  headers: Readonly<Record<string, string>> | null | undefined,
  keyring: Keyring,
): string | null {
  if (!headers || Object.keys(headers).length === 0) return null;
  return keyring.seal(JSON.stringify(headers), webhookSeal(orgcode, webhookId, 'headers'));
}

export function webhookToWire(record: ShownWebhook, keyring: Keyring): Webhook {
  return {
    webhook_id: record.webhookId,
    orgcode: record.orgcode,
    ...given('caption', record.caption),
    endpoint_url: record.endpointUrl,
    status: record.status as Webhook['status'],
    event_filters: record.eventFilters as unknown as Webhook['event_filters'],
    ...given('headers', headersOf(record, keyring)),
    signing_algorithm: 'hmac-sha256',
    secret_last4: record.secretLast4,
    request_context: record.requestContext as unknown as Webhook['request_context'],
    reason: record.reason,
    source_refs: record.sourceRefs as unknown as Webhook['source_refs'],
    ...given('status_request_context', record.statusRequestContext),
    ...given('status_reason', record.statusReason),
    ...given('status_source_refs', record.statusSourceRefs),
    consecutive_failures: record.consecutiveFailures ?? 0,
    ...given('last_success_at', record.lastSuccessAt?.toISOString()),
    ...given('last_failure_at', record.lastFailureAt?.toISOString()),
    ...given('last_error', record.lastError),
    ...given('backlog_lost_from', record.backlogLostFrom?.toISOString()),
    ...settingsToWire(record),
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    revision: String(record.revision),
  } as Webhook;
}

function settingsToWire(record: ShownWebhook): Partial<Webhook> {
  const { previousSecretUntil } = record;
  const isOverlapping = previousSecretUntil !== null && previousSecretUntil.getTime() > Date.now();
  return {
    timeout_ms: record.timeoutMs,
    payload_format: record.payloadFormat as Webhook['payload_format'],
    ...given('rate_limit', record.rateLimit),
    ...(record.retrySchedule.length > 0 ? { retry_schedule: record.retrySchedule } : {}),
    ordering: record.ordering as Webhook['ordering'],
    ...given('ordering_skip_after', record.orderingSkipAfter),
    ...given('auto_pause', record.autoPause),
    ...(isOverlapping ? { previous_secret_expires_at: previousSecretUntil.toISOString() } : {}),
  };
}

function headersOf(
  { orgcode, webhookId, headersSealed }: ShownWebhook,
  keyring: Keyring,
): Record<string, string> | undefined {
  if (headersSealed === null) return undefined;
  const headers = JSON.parse(keyring.open(headersSealed, webhookSeal(orgcode, webhookId, 'headers'))) as Record<
    string,
    string
  >;
  return maskedHeaders(headers);
}

function given<Value>(name: string, value: Value | null | undefined): object {
  return value === null || value === undefined ? {} : { [name]: value };
}
