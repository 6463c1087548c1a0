import type { LeasedDelivery } from './leased-delivery.js';

export interface WindowLimits {
  lane: number;
  organisation: number;
  process: number;
}

/** A lane in memory: what it has to send, and how it fares here. */
export interface LaneQueue {
  readonly lane: bigint;
  readonly orgcode: string;
  readonly waiting: LeasedDelivery[];
  inFlight: number;
  /** Answers late or not at all: together such lanes get half of everything at most. */
  isSlow: boolean;
  /** Nothing is sent before then, by `performance.now`. */
  blockedUntilMs: number;
  place: 'idle' | 'ready' | 'parked';
}

interface OrganisationLoad {
  inFlight: number;
  queued: number;
  /** Of these, on lanes that keep up. */
  keepingUp: number;
  parked: LaneQueue[];
}

/**
 * Which delivery goes next: lanes in turn, each with its own limit, its organisation's and the process's, so that a flood or a dead
 * endpoint of one delays no other. Knows no clock and no network.
 */
export class SendWindow {
  private readonly lanes = new Map<bigint, LaneQueue>();
  private readonly organisations = new Map<string, OrganisationLoad>();
  private ready: LaneQueue[] = [];
  private nextReady = 0;
  private slowParked: LaneQueue[] = [];
  private inFlight = 0;
  private slowInFlight = 0;
  private queued = 0;

  constructor(private readonly limits: WindowLimits) {}

  get load(): { inFlight: number; queued: number; lanes: number } {
    return { inFlight: this.inFlight, queued: this.queued, lanes: this.lanes.size };
  }

  get isFull(): boolean {
    return this.inFlight >= this.limits.process;
  }

  lane(lane: bigint): LaneQueue | undefined {
    return this.lanes.get(lane);
  }

  queuedOf(orgcode: string): { all: number; keepingUp: number } {
    const { queued, keepingUp } = this.organisations.get(orgcode) ?? { queued: 0, keepingUp: 0 };
    return { all: queued, keepingUp };
  }

  add(deliveries: readonly LeasedDelivery[]): void {
    for (const delivery of deliveries) {
      const queue = this.laneOf(delivery);
      queue.waiting.push(delivery);
      this.count(queue, +1);
      this.makeReady(queue);
    }
  }

  /** The next to send, now in flight; undefined when nothing may go. */
  take(nowMs: number): LeasedDelivery | undefined {
    if (this.isFull) return undefined;
    for (let queue = this.nextInTurn(); queue; queue = this.nextInTurn()) {
      queue.place = 'idle';
      const isStuck = queue.waiting.length === 0 || queue.blockedUntilMs > nowMs;
      const delivery = isStuck || this.park(queue) ? undefined : queue.waiting.shift();
      if (delivery) {
        this.count(queue, -1);
        this.flying(queue, +1);
        this.makeReady(queue);
        return delivery;
      }
      // Its turn has come to nothing: another one of its organisation has it.
      if (!this.isFullFor(queue.orgcode)) this.wakeOne(this.loadOf(queue.orgcode).parked);
      this.forgetIfIdle(queue);
    }
    return undefined;
  }

  /** Its call has ended. */
  done({ lane }: LeasedDelivery): void {
    const queue = this.lanes.get(lane);
    if (!queue) return;
    this.flying(queue, -1);
    this.makeReady(queue);
    this.wakeOne(this.loadOf(queue.orgcode).parked);
    this.forgetIfIdle(queue);
  }

  markSlow(lane: bigint, isSlow: boolean): void {
    const queue = this.lanes.get(lane);
    if (!queue || queue.isSlow === isSlow) return;
    const change = isSlow ? queue.inFlight : -queue.inFlight;
    this.slowInFlight += change;
    // What waits on a slow lane does not count as work that keeps the organisation busy.
    this.loadOf(queue.orgcode).keepingUp += isSlow ? -queue.waiting.length : queue.waiting.length;
    queue.isSlow = isSlow;
    const place = this.slowParked.indexOf(queue);
    if (isSlow || place === -1) return;
    this.slowParked.splice(place, 1);
    queue.place = 'idle';
    this.makeReady(queue);
  }

  block(lane: bigint, untilMs: number): void {
    const queue = this.lanes.get(lane);
    if (queue) queue.blockedUntilMs = untilMs;
  }

  /** Takes what the lane has not sent away again. */
  empty(lane: bigint): LeasedDelivery[] {
    const queue = this.lanes.get(lane);
    if (!queue) return [];
    const waiting = queue.waiting.splice(0);
    this.count(queue, -waiting.length);
    this.forgetIfIdle(queue);
    return waiting;
  }

  emptyAll(): LeasedDelivery[] {
    return [...this.lanes.keys()].flatMap((lane) => this.empty(lane));
  }

  private laneOf({ lane, orgcode }: LeasedDelivery): LaneQueue {
    const known = this.lanes.get(lane);
    if (known) return known;
    const queue: LaneQueue = {
      lane,
      orgcode,
      waiting: [],
      inFlight: 0,
      isSlow: false,
      blockedUntilMs: 0,
      place: 'idle',
    };
    this.lanes.set(lane, queue);
    return queue;
  }

  private loadOf(orgcode: string): OrganisationLoad {
    const known = this.organisations.get(orgcode);
    if (known) return known;
    const load = { inFlight: 0, queued: 0, keepingUp: 0, parked: [] };
    this.organisations.set(orgcode, load);
    return load;
  }

  private makeReady(queue: LaneQueue): void {
    if (queue.place !== 'idle' || queue.waiting.length === 0 || queue.inFlight >= this.limits.lane) return;
    queue.place = 'ready';
    this.ready.push(queue);
  }

  private shiftReady(): LaneQueue | undefined {
    const queue = this.ready[this.nextReady];
    if (!queue) {
      this.ready = [];
      this.nextReady = 0;
      return undefined;
    }
    this.nextReady += 1;
    if (this.nextReady > 1_024) {
      this.ready.splice(0, this.nextReady);
      this.nextReady = 0;
    }
    return queue;
  }

  /** Of those that are ready; else a slow one, where there is room for it. */
  private nextInTurn(): LaneQueue | undefined {
    return this.shiftReady() ?? (this.isFullForSlow ? undefined : this.slowParked.shift());
  }

  private get isFullForSlow(): boolean {
    return this.slowInFlight >= this.limits.process / 2;
  }

  private isFullFor(orgcode: string): boolean {
    return this.loadOf(orgcode).inFlight >= this.limits.organisation;
  }

  /** Aside until somebody of its organisation, or another slow lane, is done. */
  private park(queue: LaneQueue): boolean {
    const isSlowFull = queue.isSlow && this.isFullForSlow;
    if (!isSlowFull && !this.isFullFor(queue.orgcode)) return false;
    queue.place = 'parked';
    (isSlowFull ? this.slowParked : this.loadOf(queue.orgcode).parked).push(queue);
    return true;
  }

  /** Those that were emptied in the meantime have nothing to wake for. */
  private wakeOne(parked: LaneQueue[]): void {
    for (let queue = parked.shift(); queue; queue = parked.shift()) {
      queue.place = 'idle';
      this.makeReady(queue);
      if (queue.waiting.length > 0) return;
      this.forgetIfIdle(queue);
    }
  }

  private count(queue: LaneQueue, change: number): void {
    const load = this.loadOf(queue.orgcode);
    this.queued += change;
    load.queued += change;
    if (!queue.isSlow) load.keepingUp += change;
  }

  private flying(queue: LaneQueue, change: 1 | -1): void {
    queue.inFlight += change;
    this.inFlight += change;
    this.loadOf(queue.orgcode).inFlight += change;
    if (queue.isSlow) this.slowInFlight += change;
  }

  private forgetIfIdle(queue: LaneQueue): void {
    if (queue.inFlight > 0 || queue.waiting.length > 0 || queue.place !== 'idle') return;
    if (queue.blockedUntilMs === 0 && !queue.isSlow) this.lanes.delete(queue.lane);
    const load = this.organisations.get(queue.orgcode);
    if (load?.inFlight === 0 && load.queued === 0 && load.parked.length === 0) this.organisations.delete(queue.orgcode);
  }
}
