import { Injectable } from '@nestjs/common';
import { OwnEvents, type OwnEvent } from '../cdc/own-events.service.js';
import type { OperationResult, RunningOperation } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { CatchUpRepository } from './catch-up.repository.js';
import { ReplayRepository, type ReplayRecord } from './replay.repository.js';

/** More of one webhook is not put into the queue at once. */
const MAX_WAITING = 1_000;

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
    return failed === 0
      ? this.complete(record, run, 'succeeded', 'All of it was delivered.')
      : this.complete(
          record,
          run,
          'partially_succeeded',
          'Some of it was not delivered; webhook/delivery/list shows what.',
        );
  }

  async blocked(record: ReplayRecord, run: RunningOperation): Promise<OperationResult> {
    await this.replays.tally(record);
    const why = record.cancelAsked ? 'Somebody cancelled it.' : 'The webhook is not active any more.';
    return this.complete(record, run, 'blocked', `${why} What was in the queue goes out.`);
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
