import { parseUtcTime } from '../platform/http/utc-time.js';
import type { BulkActFilter, BulkActKind } from './bulk-act.dto.js';
import { WRITEBACK_STATUSES, type WritebackStatus } from './dead-letter.dto.js';
import type { LetterPlace, LetterSearch } from './dead-letter.repository.js';
import { causeOf } from './reason-code.js';

/** Whom an act means, oldest first: a receiver gets what was replayed in the order in which it failed. */
export function bulkSearch(act: BulkActKind, filter: BulkActFilter, until: Date, after?: LetterPlace): LetterSearch {
  const { status, reason, orgcode, webhookId, failedFrom, failedTo } = filter;
  const to = timeIn(failedTo);
  return {
    statuses: status === undefined ? meantBy(act) : [status],
    cause: causeOf(reason),
    orgcode,
    webhookId,
    from: timeIn(failedFrom),
    until: to && to < until ? to : until,
    order: 'oldest',
    after,
  };
}

/** A place as it is kept between two steps. */
export function placeToText({ at, lane, position, replayNo }: LetterPlace): string[] {
  return [at.toISOString(), String(lane), String(position), String(replayNo)];
}

export function placeIn(text: readonly string[]): LetterPlace | undefined {
  const [at, lane, position, replayNo] = text;
  if (at === undefined || lane === undefined || position === undefined) return undefined;
  return { at: new Date(at), lane: BigInt(lane), position: BigInt(position), replayNo: Number(replayNo) };
}

/** Only what is dead can be replayed. */
function meantBy(act: BulkActKind): readonly WritebackStatus[] {
  return act === 'replay' ? ['dead_failed'] : WRITEBACK_STATUSES;
}

function timeIn(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : parseUtcTime(text);
}
