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

/** All of them. */
export type NewWebhookSettings = { [Name in keyof WebhookSettings]: Exclude<WebhookSettings[Name], undefined> };

const DEFAULTS = { timeoutMs: 15_000, payloadFormat: 'envelope', retrySchedule: [] as number[], ordering: 'parallel' };

export function newSettings(request: WebhookSettingsRequest): NewWebhookSettings {
  const { timeoutMs, payloadFormat, rateLimit, retrySchedule, ordering, orderingSkipAfter, autoPause } =
    settingsIn(request);
  return {
    timeoutMs: timeoutMs ?? DEFAULTS.timeoutMs,
    payloadFormat: payloadFormat ?? DEFAULTS.payloadFormat,
    rateLimit: rateLimit ?? null,
    retrySchedule: retrySchedule ?? DEFAULTS.retrySchedule,
    ordering: ordering ?? DEFAULTS.ordering,
    orderingSkipAfter: orderingSkipAfter ?? null,
    autoPause: autoPause ?? null,
  };
}

export function settingsIn(request: WebhookSettingsRequest): WebhookSettings {
  return {
    timeoutMs: orDefault(request.timeout_ms, DEFAULTS.timeoutMs),
    payloadFormat: orDefault(request.payload_format, DEFAULTS.payloadFormat),
    rateLimit: request.rate_limit,
    retrySchedule: orDefault(request.retry_schedule, DEFAULTS.retrySchedule),
    ordering: orDefault(request.ordering, DEFAULTS.ordering),
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
