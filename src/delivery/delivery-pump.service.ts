import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { AttemptResults } from './attempt-results.service.js';
import { IN_FLIGHT, MAX_LOST_WITH, QUEUED } from './delivery-limits.js';
import { DeliverySender } from './delivery-sender.service.js';
import { LaneHealth } from './lane-health.service.js';
import type { LeasedDelivery } from './leased-delivery.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { SendWindow, type LaneQueue } from './send-window.js';

const SLOW_MS = 1_000;
const STOP_POLL_MS = 20;

/** Keeps a continuous window of calls in flight, over whatever deliveries this process holds leases for. */
@Injectable()
export class DeliveryPump implements BeforeApplicationShutdown {
  /** Called when something has been sent, and there may be room for more. */
  onSent: (lane: bigint, orgcode: string) => void = () => undefined;
  private readonly window = new SendWindow(IN_FLIGHT);
  /** In which activation a lane was found failing: one that is set active anew is not held for it. */
  private readonly heldIn = new Map<bigint, number | undefined>();
  private isFlushing = false;

  constructor(
    private readonly configuration: Configuration,
    private readonly stop: GracefulStop,
    private readonly targets: WebhookTargets,
    private readonly sender: DeliverySender,
    private readonly results: AttemptResults,
    private readonly health: LaneHealth,
  ) {
    this.stop.signal.addEventListener('abort', () => this.results.giveBack(this.window.emptyAll()));
  }

  get load(): { inFlight: number; queued: number; lanes: number } {
    return this.window.load;
  }

  /** Of an organisation, for endpoints that keep up. */
  queuedOf(orgcode: string): number {
    return this.window.queuedOf(orgcode).keepingUp;
  }

  /**
   * How many more of an organisation it takes: nobody has more here than there is room left, so that whoever comes late finds some
   * whatever others have waiting. What waits for its slow endpoints keeps nothing from the others of its own.
   */
  roomOfOrganisation(orgcode: string, isSlow = false): number {
    const { all, keepingUp } = this.window.queuedOf(orgcode);
    return Math.max(0, QUEUED.process - this.window.load.queued - (isSlow ? all : keepingUp));
  }

  /** For what the router has just found: none where the endpoint fails, so that one of those that wait probes it. */
  roomForNew(target: WebhookTarget): number {
    return this.health.isFailing(target.lane) ? 0 : this.roomOf(target);
  }

  /** Not to be called at the moment, for whatever reason but that enough is queued. */
  isShut(target: WebhookTarget): boolean {
    return this.isHeld(target) || this.stop.isStopping || target.status !== 'active' || target.secrets.length === 0;
  }

  get isStopping(): boolean {
    return this.stop.isStopping;
  }

  isHalfEmpty(lane: bigint): boolean {
    const queue = this.window.lane(lane);
    return !queue || queue.waiting.length <= capacityOf(queue) / 2;
  }

  /** How many more of a lane it takes, where it shares what its organisation may have with so many. */
  roomOf(target: WebhookTarget, sharers = 1): number {
    if (this.isShut(target)) return 0;
    const queue = this.window.lane(target.lane);
    const share = Math.floor(this.roomOfOrganisation(target.orgcode, queue?.isSlow) / sharers);
    return Math.max(0, Math.min(share, capacityOf(queue) - (queue?.waiting.length ?? 0)));
  }

  /** Ours under their leases: sent as soon as the limits let them, or given back. */
  accept(deliveries: readonly LeasedDelivery[]): void {
    for (const delivery of deliveries) delivery.lease.unsettled += 1;
    if (this.stop.isStopping) {
      this.results.giveBack(deliveries);
      return;
    }
    // A lane may have been found failing since these were asked for: nobody would wake it for them.
    const held = new Set(deliveries.filter(({ lane }) => this.isHeld(this.targets.byLane(lane))));
    this.results.giveBack([...held]);
    this.window.add(held.size === 0 ? deliveries : deliveries.filter((delivery) => !held.has(delivery)));
    this.pump();
  }

  /** Writes down how lanes fared, and leaves alone for a while those that keep failing. */
  async flushHealth(): Promise<void> {
    if (this.isFlushing) return;
    this.isFlushing = true;
    try {
      for (const { lane, forMs } of await this.health.flush()) {
        this.window.block(lane, performance.now() + forMs);
        this.heldIn.set(lane, this.targets.byLane(lane)?.activation);
        this.results.giveBack(this.window.empty(lane));
      }
    } finally {
      this.isFlushing = false;
    }
  }

  /** What is on its way gets its time; the rest has been given back. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stop.begin();
    this.results.giveBack(this.window.emptyAll());
    const deadlineMs = Date.now() + this.configuration.stopGraceSeconds * 1_000;
    while (this.window.load.inFlight > 0 && Date.now() < deadlineMs) await sleep(STOP_POLL_MS);
    await this.results.written();
    await this.health.flush();
  }

  private isHeld(target: WebhookTarget | undefined): boolean {
    const queue = target && this.window.lane(target.lane);
    if (!queue || queue.blockedUntilMs <= performance.now()) return false;
    if (this.heldIn.get(target.lane) === target.activation) return true;
    this.window.block(target.lane, 0);
    this.heldIn.delete(target.lane);
    return false;
  }

  private pump(): void {
    for (let next = this.next(); next; next = this.next()) this.start(next);
  }

  private next(): LeasedDelivery | undefined {
    return this.window.take(performance.now());
  }

  private start(delivery: LeasedDelivery): void {
    const target = this.targets.byLane(delivery.lane);
    const { event } = delivery;
    if (!target || !this.mayBeSent(delivery, target)) {
      this.results.giveBack([delivery]);
    } else if (!event) {
      this.results.bury(delivery, 'event_expired');
    } else if (delivery.lostWith >= MAX_LOST_WITH) {
      this.results.bury(delivery, 'workers_lost');
    } else if (this.results.isTooOld(delivery, target)) {
      this.results.bury(delivery, 'too_old');
    } else {
      void this.send(delivery, event, target);
      return;
    }
    this.window.done(delivery);
  }

  private mayBeSent({ lease }: LeasedDelivery, target: WebhookTarget): boolean {
    const isWanted = target.status === 'active' && target.secrets.length > 0 && !this.stop.isStopping;
    return isWanted && lease.lastsFor(this.sender.needsMs(target));
  }

  private async send(delivery: LeasedDelivery, event: OutgoingEvent, target: WebhookTarget): Promise<void> {
    try {
      const outcome = await this.sender.send(delivery, event, target);
      this.window.markSlow(delivery.lane, outcome.durationMs > SLOW_MS);
      if (this.results.ended(delivery, target, outcome)) void this.flushHealth();
    } catch (error) {
      log.error({ err: error, lane: String(delivery.lane) }, 'a delivery failed here and not at its endpoint');
      this.results.failedHere(delivery, target);
    } finally {
      this.window.done(delivery);
      this.pump();
      this.onSent(delivery.lane, delivery.orgcode);
    }
  }
}

function capacityOf(queue: LaneQueue | undefined): number {
  return queue?.isSlow ? QUEUED.slowLane : QUEUED.lane;
}
