import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { FeedService } from '../cdc/feed.service.js';
import { OperationRuns, type OperationResult, type RunningOperation } from '../operations/operation-runs.service.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { wantedEvents } from './logged-events.js';
import { ReplayCompletion } from './replay-completion.service.js';
import { replayRun } from './replay-run.js';
import { ReplayRepository, type OpenReplay, type ReplayRecord } from './replay.repository.js';

const EVENTS_A_STEP = 256;
const PATIENCE_MS = 250;

interface Step {
  positions: bigint[];
  cursor: bigint;
  hasMore: boolean;
}

/** Works off a replay: counts first, then puts into the queue at its pace, then waits for what comes of it. */
@Injectable()
export class ReplayRuns {
  constructor(
    private readonly runs: OperationRuns,
    private readonly replays: ReplayRepository,
    private readonly targets: WebhookTargets,
    private readonly feed: FeedService,
    private readonly completion: ReplayCompletion,
    private readonly stop: GracefulStop,
  ) {}

  run(open: OpenReplay): Promise<boolean> {
    const { orgcode, replayId } = open;
    return this.runs.run(replayRun(orgcode, replayId, 'ipm'), (run) => this.goOn(open, run));
  }

  /** From where it stands, whoever has worked at it before. */
  async goOn(open: OpenReplay, run: RunningOperation): Promise<OperationResult | undefined> {
    for (;;) {
      if (this.stop.isStopping) return undefined;
      const record = await this.replays.read(open);
      if (!record || record.status === 'completed')
        return { outcome: 'succeeded', counts: {}, message: 'It was done.' };
      const target = await this.targets.current(record.orgcode, record.webhookId);
      if (record.cancelAsked || target?.status !== 'active') return this.completion.blocked(record, run);
      await run.beat({ matched: record.matched, queued: record.queued });
      if (record.status !== 'running') await this.count(record, target, run);
      else if ((record.sentTo ?? 0n) < (record.countedTo ?? 0n)) await this.send(record, target);
      else if (await this.completion.isSettled(record)) return this.completion.done(record, run);
      else await sleep(PATIENCE_MS);
    }
  }

  private async count(record: ReplayRecord, target: WebhookTarget, run: RunningOperation): Promise<void> {
    const { positions, cursor, hasMore } = await this.step(record, target, record.countedTo, EVENTS_A_STEP);
    await this.replays.keep(record, {
      status: hasMore ? 'counting' : 'running',
      countedTo: cursor,
      matched: { increment: positions.length },
      operationRunId: run.id,
    });
  }

  /** Its own pace, and no more than the endpoint works off. */
  private async send(record: ReplayRecord, target: WebhookTarget): Promise<void> {
    await this.replays.tally(record);
    if (!(await this.completion.hasRoom(record))) {
      await sleep(PATIENCE_MS);
      return;
    }
    // A second's worth at a time, so that a cancellation is noticed within one.
    const atMost = Math.min(EVENTS_A_STEP, record.rate);
    const { positions, cursor, hasMore } = await this.step(record, target, record.sentTo, atMost);
    const countedTo = record.countedTo ?? 0n;
    const within = positions.filter((position) => position <= countedTo);
    await this.replays.queue(record, within, hasMore && cursor < countedTo ? cursor : countedTo);
    await sleep((within.length * 1_000) / record.rate);
  }

  private async step(record: ReplayRecord, target: WebhookTarget, after: bigint | null, atMost: number): Promise<Step> {
    const { orgcode, lane, only, service, fromUtc, toUtc } = record;
    const range = { service: service ?? undefined, from_utc: fromUtc ?? undefined, to_utc: toUtc };
    const page = await this.feed.pageIn(orgcode, range, after ?? undefined, atMost);
    const wanted = wantedEvents(orgcode, target, page.rows).map(({ position }) => position);
    const chosen = await this.replays.only(lane, only, wanted);
    return { positions: wanted.filter((position) => chosen.has(position)), cursor: page.cursor, hasMore: page.hasMore };
  }
}
