import { hostname } from 'node:os';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { log } from '../platform/telemetry/logger.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { LANES_A_CLAIM, QUEUED } from './delivery-limits.js';
import { DeliveryPump } from './delivery-pump.service.js';
import { DeliveryRepository, type ClaimedRow, type WantedLane } from './delivery.repository.js';
import { DueLanes } from './due-lanes.service.js';
import { LeaseTimes } from './lease-times.js';
import { instantText, Lease, type LeasedDelivery } from './leased-delivery.js';
import { RoutingPace } from './routing-pace.service.js';

/** As it stands in leases, for who looks at them. */
export const WORKER = `${hostname()}:${process.pid}`;

const AT_MOST_FROM_ONE_LANE = 256;
/** At a lane whose organisation has all it may have here, in other lanes. */
const LOOKS_AGAIN_MS = 100;

/** Leases: those that the router makes for us, and those that we take of what is due. Kept alive while they are worked off. */
@Injectable()
export class DeliveryClaims implements OnModuleInit {
  private readonly leases = new Set<Lease>();
  /** Lanes with something due for which there was no room. */
  private readonly full = new Set<bigint>();
  private isClaiming = false;
  private isClaimSoon = false;
  private isClaimingSuspect = false;
  private extendedAtMs = performance.now();

  constructor(
    private readonly repository: DeliveryRepository,
    private readonly targets: WebhookTargets,
    private readonly pump: DeliveryPump,
    private readonly due: DueLanes,
    private readonly times: LeaseTimes,
    private readonly pace: RoutingPace,
  ) {}

  onModuleInit(): void {
    this.due.onDue = () => this.claimSoon();
    this.pump.onSent = (lane, orgcode) => this.sent(lane, orgcode);
  }

  /** A lane that was full has room again when half of it is sent. */
  private sent(lane: bigint, orgcode: string): void {
    this.pace.sent(orgcode);
    if (!this.full.has(lane) || !this.pump.isHalfEmpty(lane)) return;
    this.full.delete(lane);
    this.due.note(lane, orgcode);
  }

  /** Something of the lane waits in the queue. */
  noteDue(lane: bigint, orgcode: string): void {
    this.due.note(lane, orgcode);
  }

  hasDue(lane: bigint): boolean {
    return this.due.has(lane) || this.full.has(lane);
  }

  /** `askedAtMs`: before the statement that made it, so that ours ends no later than the database's. */
  lease(fence: bigint, askedAtMs: number): Lease {
    const lease = new Lease(fence, askedAtMs + this.times.ms);
    this.leases.add(lease);
    return lease;
  }

  /** What becomes due in one turn of the event loop is asked for together. */
  private claimSoon(): void {
    if (this.isClaiming || this.isClaimSoon) return;
    this.isClaimSoon = true;
    setImmediate(() => {
      this.isClaimSoon = false;
      void this.claim();
    });
  }

  /** Takes what is due while there is room. */
  async claim(): Promise<void> {
    if (this.isClaiming) return;
    this.isClaiming = true;
    try {
      while (!this.pump.isStopping && !this.due.isEmpty && (await this.claimOnce()));
    } catch (error) {
      log.warn({ err: error }, 'what is due could not be taken; the sweep comes round again');
    } finally {
      this.isClaiming = false;
    }
  }

  /** One delivery with which workers were lost, when none such is with us: whoever is lost next is lost with it alone. */
  async claimSuspect(): Promise<void> {
    if (this.isClaimingSuspect || this.pump.isStopping) return;
    if ([...this.leases].some((lease) => lease.isSuspect && lease.unsettled > 0)) return;
    this.isClaimingSuspect = true;
    try {
      for (const { lane, orgcode } of await this.repository.suspectLanes())
        if (await this.claimSuspectOf(lane, orgcode)) return;
    } finally {
      this.isClaimingSuspect = false;
    }
  }

  /** Before they run out. One that is no longer ours ends here too: what is left of it is not sent. */
  async extend(): Promise<void> {
    for (const lease of this.leases) if (lease.unsettled <= 0) this.leases.delete(lease);
    const nowMs = performance.now();
    if (this.leases.size === 0 || nowMs - this.extendedAtMs < this.times.extendEveryMs) return;
    const leases = [...this.leases].filter(({ isAbandoned }) => !isAbandoned);
    const still = await this.repository.extend(leases.map(({ fence }) => fence));
    this.extendedAtMs = nowMs;
    for (const lease of leases) {
      if (still.has(lease.fence)) lease.extendTo(nowMs + this.times.ms);
      else lease.end();
    }
  }

  private async claimSuspectOf(lane: bigint, orgcode: string): Promise<boolean> {
    if (!this.targets.byLane(lane)) await this.targets.refresh([orgcode]);
    const target = this.targets.byLane(lane);
    if (!target || this.pump.roomOf(target) === 0) return false;
    const askedAtMs = performance.now();
    const rows = await this.repository.claim([{ lane, atMost: 1, rate: target.rateLimit }], WORKER, true);
    this.hand(rows, askedAtMs, true);
    return rows.length > 0;
  }

  /** Many may have become suspects by no doing of theirs: the next one follows at once. */
  private nextSuspect(): void {
    this.claimSuspect().catch((error: unknown) =>
      log.warn(
        { err: error },
        'deliveries that workers were lost with could not be taken; the sweep comes round again',
      ),
    );
  }

  /** True if it is worth while to go on at once. */
  private async claimOnce(): Promise<boolean> {
    if (this.pump.load.queued >= QUEUED.process) return false;
    const lanes = this.due.take(LANES_A_CLAIM);
    const unknown = lanes.filter(({ lane }) => !this.targets.byLane(lane)).map(({ orgcode }) => orgcode);
    if (unknown.length > 0) await this.targets.refresh([...new Set(unknown)]);
    const sharers = countedBy(lanes, ({ orgcode }) => orgcode);
    const wanted = lanes.flatMap(({ lane, orgcode }) => this.wanted(this.targets.byLane(lane), sharers.get(orgcode)));
    if (wanted.length === 0) return !this.due.isEmpty;
    const askedAtMs = performance.now();
    const rows = await this.repository.claim(wanted, WORKER);
    this.hand(rows, askedAtMs);
    this.noteRest(wanted, rows);
    return rows.length > 0;
  }

  private wanted(target: WebhookTarget | undefined, sharers?: number): WantedLane[] {
    if (!target) return [];
    const { lane, orgcode, rateLimit: rate } = target;
    const room = this.pump.roomOf(target, sharers);
    this.full.delete(lane);
    if (room > 0) return [{ lane, atMost: Math.min(room, AT_MOST_FROM_ONE_LANE), rate }];
    if (this.pump.isShut(target)) return [];
    if (this.pump.isHalfEmpty(lane)) this.due.note(lane, orgcode, performance.now() + LOOKS_AGAIN_MS);
    else this.full.add(lane);
    return [];
  }

  /** A lane that gave all that was asked of it has more; one with a rate has more when some of its second has passed. */
  private noteRest(wanted: readonly WantedLane[], rows: readonly ClaimedRow[]): void {
    const counts = countedBy(rows, ({ lane }) => lane);
    for (const { lane, atMost, rate } of wanted) {
      const target = this.targets.byLane(lane);
      const count = counts.get(lane) ?? 0;
      if (!target || (count < atMost && rate === null)) continue;
      this.due.note(lane, target.orgcode, rate === null ? 0 : performance.now() + Math.max(1_000 / rate, 100));
    }
  }

  private hand(rows: readonly ClaimedRow[], askedAtMs: number, isSuspect = false): void {
    const [first] = rows;
    if (!first) return;
    const lease = this.lease(first.lease, askedAtMs);
    lease.isSuspect = isSuspect;
    if (isSuspect) lease.onWorkedOff = () => this.nextSuspect();
    this.pump.accept(rows.map((row) => leasedDelivery(row, lease)));
  }
}

function leasedDelivery(row: ClaimedRow, lease: Lease): LeasedDelivery {
  const { orgcode, position, eventId, occurredMicros, recordedAt, envelope } = row;
  const isThere = eventId !== null && occurredMicros !== null && recordedAt !== null && envelope !== null;
  return {
    orgcode,
    lane: row.lane,
    position,
    replayNo: row.replayNo,
    lease,
    attempts: row.attempts,
    lostWith: row.lostWith,
    isOrdered: row.orderingKey !== null,
    createdAt: row.createdAt,
    isRetried: row.isRetried,
    event: isThere
      ? { orgcode, position, eventId, occurredAt: instantText(occurredMicros), recordedAt, envelope }
      : undefined,
  };
}

function countedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
