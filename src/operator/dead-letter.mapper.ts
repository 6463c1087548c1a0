import { deliveryId } from '../delivery/delivery-reading.service.js';
import type { DeadLetterStatus } from './dead-letter-lifecycle.js';
import {
  WRITEBACK_STATUSES,
  type DeadLetter,
  type JobStatus,
  type ReplayLinkage,
  type ReplayOrigins,
  type WritebackJob,
  type WritebackStatus,
} from './dead-letter.dto.js';
import type { LetterRow } from './dead-letter.repository.js';
import { failureText, reasonCodeOf } from './reason-code.js';

/** A delivery as document 002 speaks of a job. One that somebody retries by hand is a fresh start, and no failure. */
export function jobStatusOf({ deliveryStatus, errorTag, reason }: LetterRow): JobStatus {
  if (deliveryStatus === 'delivered') return 'delivered';
  if (deliveryStatus === 'dead') return 'dead_failed';
  if (deliveryStatus === 'cancelled') return 'failed';
  if (errorTag !== null && reason === null) return 'retryable_failed';
  return deliveryStatus === 'sending' ? 'sending' : 'queued';
}

/** Undefined for what is no dead letter. */
export function writebackStatusOf(row: LetterRow): WritebackStatus | undefined {
  const status = jobStatusOf(row);
  return WRITEBACK_STATUSES.find((failed) => failed === status);
}

export function operatorStatusOf({ mark }: LetterRow): DeadLetterStatus {
  return mark ?? 'open';
}

export function deadLetterToWire(row: LetterRow, status: WritebackStatus): DeadLetter {
  const { eventId, attempts } = row;
  return {
    jobId: deliveryId(row),
    noteId: eventId,
    status,
    operatorStatus: operatorStatusOf(row),
    reasonCode: rowReasonCode(row),
    attempts,
    ...originsOf(row),
    updatedAt: updatedAt(row).toISOString(),
  };
}

export function jobToWire(row: LetterRow): WritebackJob {
  const status = jobStatusOf(row);
  return {
    jobId: deliveryId(row),
    noteId: row.eventId,
    ehr: row.caption ?? new URL(row.endpointUrl).host,
    status,
    attempts: row.attempts,
    operatorStatus: writebackStatusOf(row) ? operatorStatusOf(row) : null,
    lastError: lastErrorOf(row),
    reasonCode: rowReasonCode(row),
    ...originsOf(row),
    createdAt: row.createdAt.toISOString(),
    updatedAt: updatedAt(row).toISOString(),
  };
}

export function linkageToWire(row: LetterRow, firstNo: number, replay: LetterRow | undefined): ReplayLinkage {
  return {
    originalJobId: deliveryId({ ...row, replayNo: firstNo }),
    isReplay: row.replayOf !== null,
    hasReplay: row.replayedAs !== null,
    ...originsOf(row),
    replayJobStatus: replay ? jobStatusOf(replay) : null,
  };
}

export function originsOf(row: LetterRow): ReplayOrigins {
  const idOf = (replayNo: number | null): string | null =>
    replayNo === null ? null : deliveryId({ ...row, replayNo });
  return { replayOfJobId: idOf(row.replayOf), replayedJobId: idOf(row.replayedAs) };
}

/** Why it failed; of what was ended, why it was ended. */
export function rowReasonCode(row: LetterRow): string | null {
  const status = writebackStatusOf(row);
  if (status === undefined) return null;
  return reasonCodeOf({ code: status === 'failed' ? row.reason : (row.errorTag ?? row.reason) });
}

/** Of what was ended, what was wrong with it before. */
export function lastErrorOf(row: LetterRow): string | null {
  return failureText(writebackStatusOf(row) ? (reasonCodeOf({ code: row.errorTag }) ?? rowReasonCode(row)) : null);
}

function updatedAt({ createdAt, attemptedAt, endedAt, markedAt }: LetterRow): Date {
  const times = [createdAt, attemptedAt, endedAt, markedAt].map((time) => time?.getTime() ?? 0);
  return new Date(Math.max(...times));
}
