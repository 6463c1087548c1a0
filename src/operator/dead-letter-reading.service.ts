import { Injectable } from '@nestjs/common';
import { deliveryKey, type DeliveryKey } from '../delivery/delivery-reading.service.js';
import { Database } from '../platform/database/database.js';
import type { SystemTx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { Paging, type PageScope } from '../platform/http/paging.js';
import { attemptsToWire, timelineOf } from './dead-letter-timeline.js';
import {
  WRITEBACK_STATUSES,
  type DeadLetter,
  type DeadLetterDetail,
  type DeadLetterHistory,
  type DeadLettersQuery,
  type ReplayLinkage,
  type ReplayStatus,
  type StatusSummary,
  type SummaryQuery,
  type WritebackStatus,
} from './dead-letter.dto.js';
import { deadLetterToWire, lastErrorOf, linkageToWire, originsOf, writebackStatusOf } from './dead-letter.mapper.js';
import { DeadLetterRepository, type LetterPlace, type LetterRow } from './dead-letter.repository.js';
import { operatorErrors } from './operator.errors.js';
import { causeOf, failureKindOf, reasonCodeOf, type FailureKind } from './reason-code.js';

const DEFAULT_LIMIT = 50;
const DEFAULT_HOURS = 24;
const HOUR_MS = 3_600_000;
const MAX_ATTEMPTS = 256;
const MAX_ACTS = 256;

/** Failed deliveries of all organisations, for operators. */
@Injectable()
export class DeadLetterReading {
  constructor(
    private readonly database: Database,
    private readonly letters: DeadLetterRepository,
    private readonly paging: Paging,
  ) {}

  summary({ recentHours }: SummaryQuery): Promise<StatusSummary> {
    const windowHours = Number(recentHours ?? DEFAULT_HOURS);
    const since = new Date(Date.now() - windowHours * HOUR_MS);
    return this.across(async (tx) => {
      const { dead, cancelled, retryable, acknowledged, replayed } = await this.letters.counts(tx);
      const causes = await this.letters.causesSince(tx, since);
      const open = dead + cancelled + retryable - acknowledged - replayed;
      return {
        countsByStatus: { retryable_failed: retryable, dead_failed: dead, failed: cancelled },
        deadLetterOperatorCounts: { open: Math.max(0, open), acknowledged }, // less than none while a marked one is being sent
        recentFailures: { since: since.toISOString(), ...failuresBy(causes), windowHours },
      };
    });
  }

  async list(query: DeadLettersQuery): Promise<{ data: DeadLetter[]; nextCursor?: string }> {
    const limit = Number(query.limit ?? DEFAULT_LIMIT);
    const { status, orgcode } = query;
    const cause = causeOf(query.reason);
    const scope = { orgcode: '', list: 'operator/dead-letters', filters: { status, cause, orgcode } };
    const search = {
      statuses: status === undefined ? WRITEBACK_STATUSES : [status],
      cause,
      orgcode,
      order: 'newest' as const,
      after: this.placeIn(query.cursor, scope),
    };
    const rows = await this.across((tx) => this.letters.page(tx, search, limit + 1));
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const data = rows.slice(0, limit).flatMap((row) => {
      const failed = writebackStatusOf(row); // since the list was read it may have been sent
      return failed === undefined ? [] : [deadLetterToWire(row, failed)];
    });
    return { data, ...(last && { nextCursor: this.cursorAt(last, scope) }) };
  }

  detail(id: string): Promise<DeadLetterDetail> {
    return this.across(async (tx) => {
      const { row, deadLetter } = await this.one(tx, id);
      const [attempts, acts] = await this.storyOf(tx, row);
      return {
        deadLetter,
        lastError: lastErrorOf(row),
        attempts: attemptsToWire(row, attempts, acts),
        replayLinkage: originsOf(row),
      };
    });
  }

  history(id: string): Promise<DeadLetterHistory> {
    return this.across(async (tx) => {
      const { row, deadLetter } = await this.one(tx, id);
      const [attempts, acts] = await this.storyOf(tx, row);
      return { deadLetter, replayLinkage: await this.linkage(tx, row), timeline: timelineOf(row, attempts, acts) };
    });
  }

  replayStatus(id: string): Promise<ReplayStatus> {
    return this.across(async (tx) => {
      const { row, deadLetter } = await this.one(tx, id);
      return { deadLetter, replayLinkage: await this.linkage(tx, row) };
    });
  }

  private async one(tx: SystemTx, id: string): Promise<{ row: LetterRow; deadLetter: DeadLetter }> {
    const row = await this.letters.find(tx, letterKey(id));
    const status: WritebackStatus | undefined = row && writebackStatusOf(row);
    if (!row || status === undefined) throw new AppError(operatorErrors.notFound);
    return { row, deadLetter: deadLetterToWire(row, status) };
  }

  private async storyOf(
    tx: SystemTx,
    row: LetterRow,
  ): Promise<
    [Awaited<ReturnType<DeadLetterRepository['attempts']>>, Awaited<ReturnType<DeadLetterRepository['acts']>>]
  > {
    return [await this.letters.attempts(tx, row, MAX_ATTEMPTS), await this.letters.acts(tx, row, MAX_ACTS)];
  }

  private async linkage(tx: SystemTx, row: LetterRow): Promise<ReplayLinkage> {
    const { replayedAs } = row;
    const replay = replayedAs === null ? undefined : await this.letters.find(tx, { ...row, replayNo: replayedAs });
    return linkageToWire(row, (await this.letters.firstOf(tx, row)) ?? row.replayNo, replay);
  }

  private across<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('dead letters', work);
  }

  private placeIn(cursor: string | undefined, scope: PageScope): LetterPlace | undefined {
    const place = this.paging.positionAfter(cursor === undefined ? undefined : { token: cursor }, scope);
    if (!place) return undefined;
    const [at = 0, lane = 0, position = 0, replayNo = 0] = place;
    return { at: new Date(at), lane: BigInt(lane), position: BigInt(position), replayNo: Number(replayNo) };
  }

  private cursorAt({ at, lane, position, replayNo }: LetterPlace, scope: PageScope): string {
    const place = [at.getTime(), String(lane), String(position), replayNo];
    return (this.paging.tokenAt(place, scope) as { token: string }).token;
  }
}

/** Of a UUID of any spelling; one that names no delivery names no dead letter. */
export function letterKey(id: string): DeliveryKey {
  const key = deliveryKey(id.toLowerCase());
  if (!key) throw new AppError(operatorErrors.notFound);
  return key;
}

function failuresBy(
  causes: readonly { cause: string; count: number }[],
): Record<FailureKind | 'total', number> & { byReasonCode: Record<string, number> } {
  const failures = { total: 0, retryable: 0, nonRetryable: 0, unknown: 0 };
  const byReasonCode = new Map<string, number>();
  for (const { cause, count } of causes) {
    const reasonCode = reasonCodeOf({ code: cause });
    failures.total += count;
    failures[failureKindOf(reasonCode)] += count;
    byReasonCode.set(reasonCode ?? 'UNKNOWN', count);
  }
  return { ...failures, byReasonCode: Object.fromEntries(byReasonCode) };
}
