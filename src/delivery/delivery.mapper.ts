import { deliveryId } from './delivery-id.js';
import type { DeliveryStatus } from './delivery-lifecycle.js';
import type { AttemptRow, DeliveryRow, EventRow } from './delivery-reading.repository.js';
import type { Delivery, DeliveryAttempt } from './delivery.dto.js';
import { instantText } from './leased-delivery.js';

export interface Surroundings {
  webhookId: string;
  webhookStatus: string;
  event: EventRow | undefined;
  dueAt: Date | undefined;
}

export function deliveryToWire(row: DeliveryRow, { webhookId, webhookStatus, event, dueAt }: Surroundings): Delivery {
  const status = statusOf(row.status, webhookStatus);
  return {
    delivery_id: deliveryId(row),
    webhook_id: webhookId,
    event: {
      position: String(row.position),
      ...(event && {
        event_id: event.eventId,
        service: event.service,
        action: event.action,
        occurred_at: instantText(event.occurredMicros),
      }),
    },
    is_replay: row.replayNo > 0,
    status,
    attempts: row.attempts,
    ...given('http_status', row.httpStatus),
    ...given('error_tag', row.errorTag),
    ...given('duration_ms', row.durationMs),
    ...given('reason', row.reason),
    created_at: row.createdAt.toISOString(),
    ...given('last_attempt_at', row.attemptedAt?.toISOString()),
    ...given('next_attempt_at', status === 'scheduled' ? dueAt?.toISOString() : undefined),
  };
}

/** What is stored as scheduled is held while its webhook is paused: pausing touches no delivery. */
export function statusOf(status: DeliveryRow['status'], webhookStatus: string): DeliveryStatus {
  return status === 'scheduled' && webhookStatus === 'paused' ? 'held' : status;
}

/** The failed ones have rows of their own; of the one that succeeded all is on the delivery. */
export function attemptsToWire(row: DeliveryRow, failed: readonly AttemptRow[]): DeliveryAttempt[] {
  const last =
    row.status === 'delivered' && row.attemptedAt ? [{ ...row, attempt: row.attempts, at: row.attemptedAt }] : [];
  return [...failed, ...last].map(({ attempt, at, durationMs, httpStatus, errorTag, excerpt }) => ({
    attempt,
    at: at.toISOString(),
    duration_ms: durationMs ?? 0,
    ...given('http_status', httpStatus),
    ...given('error_tag', errorTag),
    ...given('excerpt', excerpt),
  }));
}

function given<Value>(name: string, value: Value | null | undefined): object {
  return value === null || value === undefined ? {} : { [name]: value };
}
