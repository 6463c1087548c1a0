import type { WebhookSettingsRequest } from './webhook.dto.js';

/** How a webhook is sent to, as it is stored. What is undefined stays as it is, or as it is by default. */
export interface WebhookSettings {
  timeoutMs: number | undefined;
  payloadFormat: string | undefined;
  rateLimit: number | null | undefined;
  /** Empty for the one that is configured. */
  retrySchedule: number[] | undefined;
  ordering: string | undefined;
  orderingSkipAfter: number | null | undefined;
  autoPause: { never: true } | { failures: number; after_seconds: number } | null | undefined;
}

const DEFAULT_TIMEOUT_MS = 15_000;

export function settingsIn(request: WebhookSettingsRequest): WebhookSettings {
  return {
    timeoutMs: orDefault(request.timeout_ms, DEFAULT_TIMEOUT_MS),
    payloadFormat: orDefault(request.payload_format, 'envelope'),
    rateLimit: request.rate_limit,
    retrySchedule: orDefault(request.retry_schedule, []),
    ordering: orDefault(request.ordering, 'parallel'),
    orderingSkipAfter: request.ordering_skip_after,
    autoPause: autoPauseIn(request),
  };
}

/** Of a request that passed the rules. */
function autoPauseIn({ auto_pause }: WebhookSettingsRequest): WebhookSettings['autoPause'] {
  if (!auto_pause) return auto_pause;
  const { never, failures = 0, after_seconds = 0 } = auto_pause;
  return never ? { never } : { failures, after_seconds };
}

function orDefault<Value>(value: Value | null | undefined, byDefault: Value): Value | undefined {
  return value === null ? byDefault : value;
}
