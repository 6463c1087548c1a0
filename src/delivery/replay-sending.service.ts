import { Injectable } from '@nestjs/common';
import type { WebhookTarget } from '../webhook/webhook-targets.service.js';
import { answerExcerpt } from '../platform/outgoing/answer-excerpt.js';
import { WORKER } from './delivery-claims.service.js';
import { DeliveryDeaths } from './delivery-deaths.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { DeliverySender } from './delivery-sender.service.js';
import { LeaseTimes } from './lease-times.js';
import { Lease, type LeasedDelivery } from './leased-delivery.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { verdictAfter, type Verdict } from '../platform/outgoing/retry-schedule.js';
import { SettlementRepository, type AttemptResult } from './settlement.repository.js';

interface Sent {
  delivery: LeasedDelivery;
  attempt: AttemptResult;
  verdict: Verdict;
}

/** Sends some events once more and waits for what comes of it. One attempt each; what fails is a dead letter. */
@Injectable()
export class ReplaySending {
  constructor(
    private readonly deliveries: DeliveryRepository,
    private readonly sender: DeliverySender,
    private readonly settlement: SettlementRepository,
    private readonly deaths: DeliveryDeaths,
    private readonly leaseTimes: LeaseTimes,
  ) {}

  /** All at once: who calls hands over no more than the endpoint may get. */
  async send(target: WebhookTarget, events: readonly OutgoingEvent[]): Promise<{ delivered: number; failed: number }> {
    const askedAtMs = performance.now();
    const positions = events.map(({ position }) => position);
    const numbers = await this.deliveries.insertReplays(target.orgcode, target.lane, positions, {
      atOnce: true,
      worker: WORKER,
    });
    const fence = numbers[0]?.lease;
    if (fence === undefined || fence === null) return { delivered: 0, failed: 0 };
    const lease = new Lease(fence, askedAtMs + this.leaseTimes.ms);
    const byPosition = new Map(events.map((event) => [event.position, event]));
    const sent = await Promise.all(
      numbers.map(({ position, replayNo }) =>
        this.sendOne(target, {
          ...FRESH,
          orgcode: target.orgcode,
          lane: target.lane,
          position,
          replayNo,
          lease,
          createdAt: new Date(),
          event: byPosition.get(position),
        }),
      ),
    );
    return this.settle(sent, fence);
  }

  private async sendOne(target: WebhookTarget, delivery: LeasedDelivery): Promise<Sent> {
    const { event } = delivery;
    if (!event) throw new Error('a replay of an event that is not there');
    const outcome = await this.sender.send(delivery, event, target);
    const circumstances = {
      attempts: 1,
      schedule: [],
      ageSeconds: 0,
      maxAgeSeconds: 0,
      isAlone: true,
      nowMs: Date.now(),
    };
    const verdict = verdictAfter(outcome, circumstances, Math.random);
    const attempt = {
      httpStatus: outcome.status ?? null,
      durationMs: outcome.durationMs,
      errorTag: verdict.kind === 'delivered' ? null : verdict.errorTag,
      excerpt: verdict.kind === 'delivered' || outcome.excerpt.length === 0 ? null : answerExcerpt(outcome.excerpt),
    };
    return { delivery, attempt, verdict };
  }

  private async settle(sent: readonly Sent[], fence: bigint): Promise<{ delivered: number; failed: number }> {
    const delivered = sent.filter(({ verdict }) => verdict.kind === 'delivered');
    const dead = sent.flatMap(({ delivery, attempt, verdict }) =>
      verdict.kind === 'dead' ? [{ delivery, attempt, errorTag: verdict.errorTag, reason: verdict.reason }] : [],
    );
    if (dead.length > 0) await this.deaths.settle(dead);
    await this.settlement.delivered(delivered, [fence]);
    return { delivered: delivered.length, failed: dead.length };
  }
}

const FRESH = { attempts: 0, lostWith: 0, isOrdered: false };
