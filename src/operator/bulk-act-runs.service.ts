import { Injectable } from '@nestjs/common';
import { deliveryId } from '../delivery/delivery-reading.service.js';
import { OperationRuns, type OperationResult, type RunningOperation } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { OperatorCaller } from '../platform/http/caller.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { bulkSearch, placeIn, placeToText } from './bulk-act-search.js';
import type { BulkActFilter, BulkActKind } from './bulk-act.dto.js';
import { BulkActRepository, type BulkActRecord } from './bulk-act.repository.js';
import { DeadLetterActs } from './dead-letter-acts.service.js';
import { DeadLetterRepository, type LetterPlace } from './dead-letter.repository.js';

const COUNTED_A_STEP = 5_000;
/** Between two looks at whether somebody has cancelled it. */
const ACTS_A_STEP = 20;

const CANCELLED = { code: 'cancelled', message: 'Somebody cancelled it; what is done stays done.' };
const REFUSED = { code: 'refused', message: 'Some were refused; `skipped` of the bulk act says why.' };

/** Works off an act on many dead letters: counts first, then does to each what an operator would do to it, each with its own audit. */
@Injectable()
export class BulkActRuns {
  constructor(
    private readonly runs: OperationRuns,
    private readonly database: Database,
    private readonly bulkActs: BulkActRepository,
    private readonly letters: DeadLetterRepository,
    private readonly acts: DeadLetterActs,
    private readonly stop: GracefulStop,
  ) {}

  open(atMost: number): Promise<BulkActRecord[]> {
    return this.database.acrossOrganisations('dead letters', (tx) => this.bulkActs.open(tx, atMost));
  }

  run({ bulkActId, filter }: BulkActRecord): Promise<boolean> {
    const { orgcode } = filter as BulkActFilter;
    const what = { type: 'dead_letter_bulk_act', subject: bulkActId, initiator: 'operator' };
    return this.runs.run({ ...what, ...(orgcode !== undefined && { orgcode }) }, (run) => this.goOn(bulkActId, run));
  }

  find(bulkActId: string): Promise<BulkActRecord | null> {
    return this.database.acrossOrganisations('dead letters', (tx) => this.bulkActs.find(tx, bulkActId));
  }

  /** From where it stands, whoever has worked at it before. */
  async goOn(bulkActId: string, run: RunningOperation): Promise<OperationResult | undefined> {
    for (;;) {
      if (this.stop.isStopping) return undefined;
      const record = await this.find(bulkActId);
      if (!record || record.status === 'completed')
        return { outcome: 'succeeded', counts: {}, message: 'It was done.' };
      await run.beat(countsOf(record));
      if (record.cancelAsked)
        return this.complete(record, run, { outcome: 'blocked', message: CANCELLED.message, failures: [CANCELLED] });
      const isOver = record.status === 'running' ? await this.actOnSome(record) : await this.countSome(record, run);
      if (isOver) return this.done(bulkActId, run);
    }
  }

  private async countSome(record: BulkActRecord, run: RunningOperation): Promise<false> {
    const places = await this.next(record, placeIn(record.countedTo), COUNTED_A_STEP);
    const last = places.at(-1);
    await this.keep(record, {
      status: places.length < COUNTED_A_STEP ? 'running' : 'counting',
      ...(last && { countedTo: placeToText(last) }),
      matched: { increment: places.length },
      operationRunId: run.id,
    });
    return false;
  }

  /** True when there are no more. */
  private async actOnSome(record: BulkActRecord): Promise<boolean> {
    const places = await this.next(record, placeIn(record.doneTo), ACTS_A_STEP);
    const last = places.at(-1);
    if (!last) return true;
    const skipped = new Map(Object.entries(record.skipped as Record<string, number>));
    let done = 0;
    for (const place of places) {
      const refusal = await this.actOn(record, place);
      if (refusal === undefined) done += 1;
      else skipped.set(refusal, (skipped.get(refusal) ?? 0) + 1);
    }
    await this.keep(record, {
      doneTo: placeToText(last),
      done: { increment: done },
      skipped: Object.fromEntries(skipped),
    });
    return false;
  }

  /** The code of the refusal. What a lost worker did between two steps is found done, and counts. */
  private async actOn({ bulkActId, act, reason }: BulkActRecord, place: LetterPlace): Promise<string | undefined> {
    const operator = operatorOf(bulkActId);
    const grounds = { bulkActId, reason: reason ?? undefined };
    try {
      await (act === 'replay'
        ? this.acts.replay(operator, place, grounds)
        : this.acts.acknowledge(operator, place, grounds));
      return undefined;
    } catch (error) {
      if (!(error instanceof AppError)) return this.defect(error, place);
      if (error.failure.status >= 500) throw error;
      return (await this.acts.isMarkedBy(place, bulkActId)) ? undefined : error.failure.tag.toUpperCase();
    }
  }

  /** One that nobody can act on must not keep the others from it for ever. */
  private defect(error: unknown, place: LetterPlace): string {
    log.error(
      { err: error, delivery_id: deliveryId(place) },
      'an act on a dead letter failed in a way nobody expected',
    );
    return platformErrors.internal.tag.toUpperCase();
  }

  private next(record: BulkActRecord, after: LetterPlace | undefined, atMost: number): Promise<LetterPlace[]> {
    const search = bulkSearch(record.act as BulkActKind, record.filter as BulkActFilter, record.until, after);
    return this.database.acrossOrganisations('dead letters', (tx) => this.letters.places(tx, search, atMost));
  }

  private async done(bulkActId: string, run: RunningOperation): Promise<OperationResult | undefined> {
    const record = await this.find(bulkActId);
    if (!record) return undefined;
    return this.complete(
      record,
      run,
      countsOf(record).skipped === 0
        ? { outcome: 'succeeded', message: 'It was done to all of them.' }
        : { outcome: 'partially_succeeded', message: REFUSED.message, failures: [REFUSED] },
    );
  }

  private async complete(
    record: BulkActRecord,
    run: RunningOperation,
    end: Omit<OperationResult, 'counts'>,
  ): Promise<OperationResult> {
    await this.keep(record, { status: 'completed', outcome: end.outcome, operationRunId: run.id });
    return { ...end, counts: countsOf(record) };
  }

  private keep({ bulkActId }: BulkActRecord, change: Parameters<BulkActRepository['keep']>[2]): Promise<BulkActRecord> {
    return this.database.acrossOrganisations('dead letters', (tx) => this.bulkActs.keep(tx, bulkActId, change));
  }
}

export function countsOf({ matched, done, skipped }: BulkActRecord): Record<'matched' | 'done' | 'skipped', number> {
  const refused = Object.values(skipped as Record<string, number>).reduce((sum, count) => sum + count, 0);
  return { matched, done, skipped: refused };
}

/** Its acts are found in the audit by the id of the whole. */
function operatorOf(bulkActId: string): OperatorCaller {
  return {
    orgcode: undefined,
    cccode: undefined,
    actor: 'operator',
    roles: [],
    contextSource: 'operator',
    fingerprint: undefined,
    call: 'operator/writeback/bulk-acts',
    requestId: bulkActId,
    traceId: bulkActId.replaceAll('-', ''),
    idempotencyKey: undefined,
  };
}
