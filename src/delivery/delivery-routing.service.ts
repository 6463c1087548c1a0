import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EventConsumer, EventRouter, type Consumption, type RoutedEvent } from '../cdc/event-router.service.js';
import type { PlainTx, Statement } from '../platform/database/transaction.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { DeliveryClaims, WORKER } from './delivery-claims.service.js';
import { DeliveryPump } from './delivery-pump.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { EventMatching, type Match } from './event-matching.js';
import { instantText, type LeasedDelivery } from './leased-delivery.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { RoutingPace } from './routing-pace.service.js';

const NOTHING_FOLLOWS: Consumption = { writes: [], committed: () => undefined };

/** Which webhooks get an event: decided once, when the router passes it. */
@Injectable()
export class DeliveryRouting extends EventConsumer<bigint> implements OnModuleInit {
  constructor(
    private readonly router: EventRouter,
    private readonly targets: WebhookTargets,
    private readonly deliveries: DeliveryRepository,
    private readonly claims: DeliveryClaims,
    private readonly pump: DeliveryPump,
    private readonly pace: RoutingPace,
  ) {
    super();
  }

  onModuleInit(): void {
    this.router.use(this);
    this.pace.onRoom = (orgcode) => this.router.kick(orgcode);
  }

  batchSize(orgcode: string): number {
    return this.pace.batchSize(orgcode);
  }

  hasRoom(orgcode: string): boolean {
    return this.pace.hasRoom(orgcode);
  }

  reading(orgcode: string): Statement<bigint> {
    return this.targets.reading(orgcode);
  }

  async consume(tx: PlainTx, orgcode: string, events: readonly RoutedEvent[], version: bigint): Promise<Consumption> {
    const { targets } = await this.targets.ofOrganisation(orgcode, version, tx);
    const live = targets.filter(isLive);
    this.pace.noteWebhooks(orgcode, live.length);
    const room = {
      altogether: this.pump.roomOfOrganisation(orgcode),
      of: (target: WebhookTarget) => this.roomOf(target),
    };
    const matches = new EventMatching(live, room).matches(events);
    if (matches.length === 0) return NOTHING_FOLLOWS;
    const askedAtMs = performance.now();
    return {
      writes: this.deliveries.inserting(orgcode, matches, WORKER),
      committed: ([lease]) => this.committed(orgcode, matches, lease as bigint | null, askedAtMs),
    };
  }

  /** What may be sent at once. Nothing where others wait already, where the order is kept or calls are counted. */
  private roomOf(target: WebhookTarget): number {
    const mustQueue = target.ordering === 'key' || target.rateLimit !== null || this.claims.hasDue(target.lane);
    return mustQueue ? 0 : this.pump.roomForNew(target);
  }

  private committed(orgcode: string, matches: readonly Match[], fence: bigint | null, askedAtMs: number): void {
    for (const { lane, atOnce } of matches) if (!atOnce) this.claims.noteDue(lane, orgcode);
    if (fence === null) return;
    const lease = this.claims.lease(fence, askedAtMs);
    const createdAt = new Date();
    const outgoing = new Map<RoutedEvent, OutgoingEvent>();
    const leased = matches.flatMap(({ lane, position, event, atOnce }): LeasedDelivery[] => {
      if (!atOnce) return [];
      const known = outgoing.get(event) ?? outgoingEvent(orgcode, event);
      outgoing.set(event, known);
      const fresh = { replayNo: 0, attempts: 0, lostWith: 0, isOrdered: false };
      return [{ ...fresh, orgcode, lane, position, lease, createdAt, event: known }];
    });
    this.pump.accept(leased);
  }
}

/** One that keeps an order works off what it missed first; its gaps take in what comes meanwhile. */
function isLive({ status, ordering, gaps }: WebhookTarget): boolean {
  return status === 'active' && (ordering === 'parallel' || gaps.length === 0);
}

function outgoingEvent(orgcode: string, event: RoutedEvent): OutgoingEvent {
  const { position, eventId, occurredMicros, recordedAt, envelope } = event;
  return { orgcode, position, eventId, occurredAt: instantText(occurredMicros), recordedAt, envelope };
}
