import { Injectable } from '@nestjs/common';
import { OwnEvents, type OwnEvent } from '../cdc/own-events.service.js';
import type { OperationResult, RunningOperation } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { CatchUpRepository } from './catch-up.repository.js';
import { ReplayRepository, type ReplayRecord } from './replay.repository.js';

/** More of one webhook is not put into the queue at once. */
const MAX_WAITING = 1_000;

const CANCELLED = { code: 'cancelled', message: 'Somebody cancelled it.' };
const NOT_ACTIVE = { code: 'webhook_not_active', message: 'The webhook is not active any more.' };
const NOT_DELIVERED = {
  code: 'not_delivered',
  message: 'Some of it was not delivered; webhook/delivery/list shows what.',
};

/** What comes of a replay, how it ends, and who is told. */
@Injectable()
export class ReplayCompletion {
  constructor(
    private readonly database: Database,
    private readonly replays: ReplayRepository,
    private readonly ownEvents: OwnEvents,
    private readonly backlog: CatchUpRepository,
  ) {}

  async hasRoom({ lane }: ReplayRecord): Promise<boolean> {
    return (await this.backlog.waiting(lane, MAX_WAITING)) < MAX_WAITING;
  }

  /** Nothing of it is on its way; what has come of it so far is written down. */
  async isSettled(record: ReplayRecord): Promise<boolean> {
    return (await this.replays.tally(record)) === 0;
  }

  async done(record: ReplayRecord, run: RunningOperation): Promise<OperationResult> {
    const { failed = 0 } = (await this.replays.read(record)) ?? {};
    if (failed === 0) return this.complete(record, run, 'succeeded', 'All of it was delivered.');
    const result = await this.complete(record, run, 'partially_succeeded', NOT_DELIVERED.message);
    return { ...result, failures: [NOT_DELIVERED] };
  }

  async blocked(record: ReplayRecord, run: RunningOperation): Promise<OperationResult> {
    await this.replays.tally(record);
    const failure = record.cancelAsked ? CANCELLED : NOT_ACTIVE;
    const result = await this.complete(record, run, 'blocked', `${failure.message} What was in the queue goes out.`);
    return { ...result, failures: [failure] };
  }

  private async complete(
    record: ReplayRecord,
    run: RunningOperation,
    outcome: OperationResult['outcome'],
    message: string,
  ): Promise<OperationResult> {
    const { orgcode, replayId } = record;
    const ended = await this.database.transaction(orgcode, async (tx) => {
      const end = await this.replays.complete(tx, orgcode, replayId, { outcome, operationRunId: run.id });
      await this.ownEvents.appendUnasked(tx, orgcode, record.reason, [replayCompleted(end, run.id, outcome)]);
      return end;
    });
    this.ownEvents.announce(orgcode);
    const { matched, delivered, failed } = ended;
    return { outcome, counts: { matched, delivered, failed }, message };
  }
}

function replayCompleted(
  { replayId, webhookId, only, fromUtc, toUtc, matched, delivered, failed }: ReplayRecord,
  runId: number,
  outcome: OperationResult['outcome'],
): OwnEvent {
  const payload = {
    replay_id: replayId,
    webhook_id: webhookId,
    operation_run_id: runId,
    only,
    ...(fromUtc !== null && { from_utc: fromUtc }),
    to_utc: toUtc,
    outcome,
    matched_count: matched,
    delivered_count: delivered,
    failed_count: failed,
  };
  return { action: 'replay.completed', resource: { type: 'replay', id: replayId }, payload };
}
