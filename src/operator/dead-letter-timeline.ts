import { createHash } from 'node:crypto';
import { deliveryId } from '../delivery/delivery-reading.service.js';
import type { FailedAttempt, TimelineEvent } from './dead-letter.dto.js';
import { jobStatusOf, originsOf, rowReasonCode } from './dead-letter.mapper.js';
import type { ActRow, AttemptRow, LetterRow } from './dead-letter.repository.js';
import { failureText, reasonCodeOf } from './reason-code.js';

const IPM = 'ipm';
const ACT_EVENTS: Readonly<Record<ActRow['act'], string>> = {
  acknowledged: 'dead_letter.acknowledged',
  replayed: 'dead_letter.replayed',
  created_by_replay: 'delivery.created_by_replay',
  retried_by_hand: 'delivery.retried_by_hand',
};

/** Attempts that failed, and what each made of the delivery. After what was retried by hand there had been a last one. */
export function attemptsToWire(
  row: LetterRow,
  attempts: readonly AttemptRow[],
  acts: readonly ActRow[],
): FailedAttempt[] {
  const retries = acts.filter(({ act }) => act === 'retried_by_hand');
  return attempts.map((attempt, i) => {
    const next = attempts[i + 1];
    const wasRetried = retries.some(({ at }) => at >= attempt.at && (!next || at <= next.at));
    const reasonCode = reasonCodeOf({ code: attempt.errorTag });
    return {
      attempt: attempt.attempt,
      fromStatus: 'sending',
      toStatus: wasRetried || endedIt(row, attempt) ? 'dead_failed' : 'retryable_failed',
      error: failureText(reasonCode),
      reasonCode,
      occurredAt: attempt.at.toISOString(),
    };
  });
}

/** Everything that has happened to it, oldest first. */
export function timelineOf(row: LetterRow, attempts: readonly AttemptRow[], acts: readonly ActRow[]): TimelineEvent[] {
  const events = [
    created(row),
    ...attempts.map((attempt) => failed(row, attempt)),
    ...ended(row),
    ...acts.map(actToWire),
  ];
  return events.sort((a, b) => a.createdAt.localeCompare(b.createdAt)); // stable, so what happened at once stays in order
}

function created(row: LetterRow): TimelineEvent {
  const payload = { noteId: row.eventId, webhookId: row.webhookId, orgcode: row.orgcode, isReplay: row.replayNo > 0 };
  return eventOf(row, 'delivery.created', row.createdAt, payload);
}

function failed(row: LetterRow, { attempt, at, errorTag, httpStatus, durationMs }: AttemptRow): TimelineEvent {
  const payload = { attempt, reasonCode: reasonCodeOf({ code: errorTag }), httpStatus, durationMs };
  return eventOf(row, 'delivery.attempt_failed', at, payload, attempt);
}

function ended(row: LetterRow): TimelineEvent[] {
  if (!row.endedAt) return [];
  const payload = { reasonCode: rowReasonCode(row), cause: row.reason, attempts: row.attempts };
  return [eventOf(row, jobStatusOf(row) === 'failed' ? 'delivery.cancelled' : 'delivery.dead', row.endedAt, payload)];
}

function actToWire({ actId, act, actor, payload, at }: ActRow): TimelineEvent {
  return { eventId: actId, eventType: ACT_EVENTS[act], actor, payload, createdAt: at.toISOString() };
}

function eventOf(row: LetterRow, eventType: string, at: Date, payload: object, n = 0): TimelineEvent {
  const eventId = uuidOf(`${deliveryId(row)}/${eventType}/${n}`);
  return {
    eventId,
    eventType,
    actor: IPM,
    payload: { ...payload, ...linksOf(row, eventType) },
    createdAt: at.toISOString(),
  };
}

function linksOf(row: LetterRow, eventType: string): object {
  const { replayOfJobId } = originsOf(row);
  return eventType === 'delivery.created' && replayOfJobId !== null ? { replayOfJobId } : {};
}

/** The last attempt, unless something else ended it after that. */
function endedIt(row: LetterRow, { attempt, errorTag }: AttemptRow): boolean {
  return row.deliveryStatus === 'dead' && row.attempts === attempt && row.errorTag === errorTag;
}

/** What is told of rows that have no id has one that is always the same. */
function uuidOf(text: string): string {
  const digits = createHash('sha256').update(text).digest('hex');
  const part = (from: number, to: number): string => digits.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-8${part(13, 16)}-8${part(17, 20)}-${part(20, 32)}`;
}
