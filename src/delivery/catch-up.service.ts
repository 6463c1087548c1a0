import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { OwnEvents } from '../cdc/own-events.service.js';
import {
  OperationRuns,
  type OperationCounts,
  type OperationResult,
  type RunningOperation,
} from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import type { Gap } from '../webhook/webhook-gaps.dto.js';
import { CatchUpRepository, type Lagging } from './catch-up.repository.js';
import { CatchUpRouting } from './catch-up-routing.service.js';

/** More of one webhook is not put into the queue at once. */
const MAX_WAITING = 2_000;
const PATIENCE_MS = 250;
/** For the first attempts of the last ones, before it is said what came of it: looked at seldom, because it may be many. */
const LAST_ATTEMPTS_MS = 60_000;
const BETWEEN_LOOKS_MS = 1_000;

const NOT_ACTIVE = {
  code: 'webhook_not_active',
  message: 'The webhook is not active any more; it goes on when it is.',
};

/** Makes good what a webhook missed while it was paused: oldest first, at the pace of its endpoint, while live events flow. */
@Injectable()
export class CatchUp {
  constructor(
    private readonly runs: OperationRuns,
    private readonly repository: CatchUpRepository,
    private readonly routing: CatchUpRouting,
    private readonly database: Database,
    private readonly ownEvents: OwnEvents,
    private readonly stop: GracefulStop,
  ) {}

  /** Of several workers one is at it; another goes on where that one was lost. */
  run(webhook: Lagging): Promise<boolean> {
    const { orgcode, webhookId } = webhook;
    const what = { type: 'webhook_catch_up', orgcode, subject: `${orgcode}/${webhookId}`, initiator: 'ipm' };
    return this.runs.run(what, (run) => this.goOn(webhook, run));
  }

  /** From where it stands, whoever has worked at it before. */
  async goOn(webhook: Lagging, run: RunningOperation): Promise<OperationResult | undefined> {
    let events = 0;
    for (;;) {
      if (this.stop.isStopping) return undefined;
      if ((await this.repository.waiting(webhook.lane, MAX_WAITING)) >= MAX_WAITING) {
        await sleep(PATIENCE_MS);
        await run.beat({ events });
        continue;
      }
      const step = await this.routing.step(webhook);
      if (step === 'blocked') return blocked(events);
      if (step === 'told') return succeeded({ events });
      events += step.deliveries;
      await run.beat({ events });
      if (step.caughtUp) return this.finish(webhook, run, step.caughtUp);
    }
  }

  private async finish(webhook: Lagging, run: RunningOperation, stretch: Gap): Promise<OperationResult | undefined> {
    const deadlineMs = Date.now() + LAST_ATTEMPTS_MS;
    let counts = await this.repository.outcome(webhook.lane, stretch);
    while (counts.untried > 0 && Date.now() < deadlineMs) {
      if (this.stop.isStopping) return undefined;
      await sleep(BETWEEN_LOOKS_MS);
      await run.beat({ ...counts });
      counts = await this.repository.outcome(webhook.lane, stretch);
    }
    const { orgcode, webhookId } = webhook;
    const payload = {
      webhook_id: webhookId,
      operation_run_id: run.id,
      after_position: stretch.after,
      to_position: stretch.to,
      delivered_count: counts.delivered,
      dead_count: counts.dead,
    };
    const event = { action: 'webhook.catch_up_completed', resource: { type: 'webhook', id: webhookId }, payload };
    await this.database.transaction(orgcode, async (tx) => {
      if (!(await this.repository.told(tx, webhook, stretch))) return;
      await this.ownEvents.appendUnasked(tx, orgcode, 'What it missed has been sent or waits for another attempt.', [
        event,
      ]);
    });
    this.ownEvents.announce(orgcode);
    return succeeded(counts);
  }
}

function blocked(events: number): OperationResult {
  return { outcome: 'blocked', counts: { events }, message: NOT_ACTIVE.message, failures: [NOT_ACTIVE] };
}

function succeeded(counts: OperationCounts): OperationResult {
  return {
    outcome: 'succeeded',
    counts: { ...counts },
    message: 'What the webhook missed has been sent or is being retried.',
  };
}
