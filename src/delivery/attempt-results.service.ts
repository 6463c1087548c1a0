import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import type { OutgoingOutcome } from '../platform/outgoing/outgoing-calls.js';
import { log } from '../platform/telemetry/logger.js';
import type { WebhookTarget } from '../webhook/webhook-targets.service.js';
import { answerExcerpt } from '../platform/outgoing/answer-excerpt.js';
import { AutoPause } from './auto-pause.service.js';
import { DeliveryCounters } from './delivery-counters.service.js';
import { LaneHealth } from './lane-health.service.js';
import type { LeasedDelivery } from './leased-delivery.js';
import { verdictAfter, type Verdict } from '../platform/outgoing/retry-schedule.js';
import type { AttemptResult } from './settlement.repository.js';
import { Settlement } from './settlement.service.js';

/** What an attempt, or the lack of one, means for a delivery and its webhook. */
@Injectable()
export class AttemptResults {
  constructor(
    private readonly configuration: Configuration,
    private readonly settlement: Settlement,
    private readonly health: LaneHealth,
    private readonly autoPause: AutoPause,
    private readonly counters: DeliveryCounters,
  ) {}

  /** True where its lane should be looked at now: it keeps failing, or it is back. */
  ended(delivery: LeasedDelivery, target: WebhookTarget, outcome: OutgoingOutcome): boolean {
    this.counters.attempted(outcome);
    const verdict = this.verdict(delivery, target, outcome);
    if (verdict.kind === 'delivered') this.counters.delivered(Date.now() - delivery.createdAt.getTime());
    this.settle(delivery, target, verdict, attemptOf(outcome, verdict));
    return this.health.note(delivery, target, verdict, outcome.status);
  }

  /** For a reason of ours: the endpoint is not blamed, and the delivery goes on by its schedule, which has an end. */
  failedHere(delivery: LeasedDelivery, target: WebhookTarget): void {
    const outcome = {
      status: undefined,
      errorTag: 'internal_error',
      retryAfter: undefined,
      excerpt: Buffer.alloc(0),
      durationMs: 0,
    };
    const verdict = this.verdict(delivery, target, outcome);
    this.settle(delivery, target, verdict, attemptOf(outcome, verdict));
  }

  /** Not sent: somebody else may, at once. No attempt is lost. */
  giveBack(deliveries: readonly LeasedDelivery[]): void {
    for (const delivery of deliveries)
      this.settlement.addWaiting({ delivery, attempt: undefined, afterMs: 0, letsPass: false });
  }

  /** Until all results are in the database, or not ours to write. */
  written(): Promise<void> {
    return this.settlement.drained();
  }

  /** Never to be sent. */
  bury(delivery: LeasedDelivery, reason: 'workers_lost' | 'event_expired' | 'too_old'): void {
    this.settlement.addDead({ delivery, attempt: undefined, errorTag: reason, reason });
  }

  /** Waited longer than anybody wants it, pauses not counted. */
  isTooOld({ createdAt, replayNo, isRetried }: LeasedDelivery, { activeSince }: WebhookTarget): boolean {
    const sinceMs = Math.max(createdAt.getTime(), activeSince.getTime());
    return replayNo === 0 && !isRetried && Date.now() - sinceMs > this.configuration.delivery.maxAgeSeconds * 1_000;
  }

  private verdict(
    delivery: LeasedDelivery,
    target: WebhookTarget,
    { status, errorTag, retryAfter }: OutgoingOutcome,
  ): Verdict {
    const { retrySchedule, maxAgeSeconds } = this.configuration.delivery;
    const nowMs = Date.now();
    const circumstances = {
      attempts: delivery.attempts + 1,
      schedule: target.retrySchedule ?? retrySchedule,
      ageSeconds: (nowMs - Math.max(delivery.createdAt.getTime(), target.activeSince.getTime())) / 1_000,
      maxAgeSeconds,
      isAlone: delivery.replayNo > 0 || delivery.isRetried === true,
      nowMs,
    };
    return verdictAfter({ status, errorTag, retryAfter }, circumstances, Math.random);
  }

  private settle(delivery: LeasedDelivery, target: WebhookTarget, verdict: Verdict, attempt: AttemptResult): void {
    if (verdict.kind === 'delivered') {
      this.settlement.addDelivered({ delivery, attempt });
    } else if (verdict.kind === 'dead') {
      this.settlement.addDead({ delivery, attempt, errorTag: verdict.errorTag, reason: verdict.reason });
    } else {
      const letsPass = target.orderingSkipAfter !== null && delivery.attempts + 1 >= target.orderingSkipAfter;
      const afterMs = verdict.kind === 'retry' ? verdict.afterMs : 0;
      this.settlement.addWaiting({ delivery, attempt, afterMs, letsPass });
    }
    if (verdict.kind === 'gone')
      this.autoPause
        .gone(target)
        .catch((error: unknown) =>
          log.warn({ err: error }, 'a gone webhook could not be paused; its next answer tries again'),
        );
  }
}

function attemptOf({ status, durationMs, excerpt }: OutgoingOutcome, verdict: Verdict): AttemptResult {
  const isDelivered = verdict.kind === 'delivered';
  return {
    httpStatus: status ?? null,
    durationMs,
    errorTag: isDelivered ? null : verdict.errorTag,
    excerpt: isDelivered || excerpt.length === 0 ? null : answerExcerpt(excerpt),
  };
}
