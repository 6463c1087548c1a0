import fc from 'fast-check';
import { Lease, type LeasedDelivery } from './leased-delivery.js';
import { SendWindow, type WindowLimits } from './send-window.js';

const lease = new Lease(1n, Infinity);
const LANES = 6;
/** Lanes of three organisations. */
const orgcodeOf = (lane: number): string => `org-${lane % 3}`;

let positions = 0n;
function delivery(lane: number): LeasedDelivery {
  positions += 1n;
  return {
    lane: BigInt(lane),
    orgcode: orgcodeOf(lane),
    position: positions,
    replayNo: 0,
    lease,
    attempts: 0,
    lostWith: 0,
    isOrdered: false,
    createdAt: new Date(0),
    event: undefined,
  };
}

/** A window with what it ought to know, kept beside it. */
class WatchedWindow {
  readonly window: SendWindow;
  readonly waiting = new Map<number, number>();
  readonly flying: LeasedDelivery[] = [];
  readonly slow = new Set<number>();
  readonly taken = new Set<bigint>();

  constructor(private readonly limits: WindowLimits) {
    this.window = new SendWindow(limits);
  }

  add(lane: number, count: number): void {
    this.window.add(Array.from({ length: count }, () => delivery(lane)));
    this.waiting.set(lane, (this.waiting.get(lane) ?? 0) + count);
    this.pump();
  }

  /** One of those on their way ends; its lane is found slow or quick at that moment. */
  end(which: number, isSlow: boolean): void {
    const [ended] = this.flying.splice(which % Math.max(1, this.flying.length), 1);
    if (!ended) return;
    this.window.markSlow(ended.lane, isSlow);
    if (isSlow) this.slow.add(Number(ended.lane));
    else this.slow.delete(Number(ended.lane));
    this.window.done(ended);
    this.pump();
  }

  empty(lane: number): void {
    expect(this.window.empty(BigInt(lane))).toHaveLength(this.waiting.get(lane) ?? 0);
    this.waiting.set(lane, 0);
    this.pump();
  }

  /** As the pump does: takes until there is nothing more to take. */
  private pump(): void {
    for (let next = this.window.take(0); next; next = this.window.take(0)) {
      const lane = Number(next.lane);
      expect(this.taken.has(next.position)).toBe(false);
      if (this.slow.has(lane)) expect(this.slowFlying).toBeLessThan(this.limits.process / 2);
      this.taken.add(next.position);
      this.flying.push(next);
      this.waiting.set(lane, (this.waiting.get(lane) ?? 0) - 1);
    }
    this.assertWithinLimits();
    this.assertNobodyWaitsForNothing();
    expect(this.window.load).toMatchObject({ inFlight: this.flying.length, queued: this.queued });
  }

  get queued(): number {
    return [...this.waiting.values()].reduce((sum, count) => sum + count, 0);
  }

  private get slowFlying(): number {
    return this.flying.filter(({ lane }) => this.slow.has(Number(lane))).length;
  }

  private flyingOf(lane: number): number {
    return this.flying.filter((one) => Number(one.lane) === lane).length;
  }

  private flyingIn(orgcode: string): number {
    return this.flying.filter((one) => one.orgcode === orgcode).length;
  }

  private assertWithinLimits(): void {
    expect(this.flying.length).toBeLessThanOrEqual(this.limits.process);
    for (let lane = 0; lane < LANES; lane += 1) {
      expect(this.flyingOf(lane)).toBeLessThanOrEqual(this.limits.lane);
      expect(this.flyingIn(orgcodeOf(lane))).toBeLessThanOrEqual(this.limits.organisation);
    }
  }

  /** No lane has something to send, and room for it, and is left. */
  private assertNobodyWaitsForNothing(): void {
    if (this.flying.length >= this.limits.process) return;
    const left = [...this.waiting].filter(
      ([lane, count]) =>
        count > 0 &&
        this.flyingOf(lane) < this.limits.lane &&
        this.flyingIn(orgcodeOf(lane)) < this.limits.organisation &&
        !(this.slow.has(lane) && this.slowFlying >= this.limits.process / 2),
    );
    expect(left).toEqual([]);
  }
}

const limits = fc.record({
  lane: fc.integer({ min: 1, max: 4 }),
  organisation: fc.integer({ min: 1, max: 6 }),
  process: fc.integer({ min: 1, max: 10 }),
});
const lane = fc.integer({ min: 0, max: LANES - 1 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add'), lane, count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end'), lane: fc.nat(), isSlow: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty'), lane }) },
);

describe('which delivery goes next', () => {
  it('never more than a lane, an organisation or the process may, slow lanes half at most, and no lane waits while there is room', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(step, { maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (given, steps, order) => {
          const watched = new WatchedWindow(given);
          for (const next of steps) {
            if ('count' in next) watched.add(next.lane, next.count);
            else if ('isSlow' in next) watched.end(next.lane, next.isSlow);
            else watched.empty(next.lane);
          }
          for (let n = 0; watched.flying.length > 0; n += 1)
            watched.end(order[n % Math.max(1, order.length)] ?? 0, n % 3 === 0);
          expect(watched.queued).toBe(0); // whatever the order in which calls end, everything is sent
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is of the next lane: each that has something is served before one is served again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: LANES }), (counts) => {
        const window = new SendWindow({ lane: 100, organisation: 100, process: 100 });
        counts.forEach((count, n) => window.add(Array.from({ length: count }, () => delivery(n))));
        for (let left = [...counts]; left.some((count) => count > 0); left = left.map((count) => count - 1)) {
          const round = left.filter((count) => count > 0).map(() => Number(window.take(0)?.lane));
          expect(round.sort()).toEqual(left.flatMap((count, n) => (count > 0 ? [n] : [])));
        }
        expect(window.take(0)).toBeUndefined();
      }),
    );
  });

  it('is none of a lane that is blocked until its time', () => {
    const window = new SendWindow({ lane: 1, organisation: 1, process: 2 });
    window.add([delivery(0)]);
    window.block(0n, 100);
    expect(window.take(99)).toBeUndefined();
    expect(window.empty(0n)).toHaveLength(1);
    window.add([delivery(0)]);
    expect(window.take(100)?.lane).toBe(0n);
  });

  it('is of another lane of the organisation where those before it were emptied', () => {
    const window = new SendWindow({ lane: 1, organisation: 1, process: 9 });
    const [first, ...others] = [0, 3, 6, 9].map((lane) => delivery(lane));
    window.add([first!, ...others]);
    expect(window.take(0)).toBe(first);
    expect(window.take(0)).toBeUndefined();
    for (const emptied of [3n, 6n]) expect(window.empty(emptied)).toHaveLength(1);
    window.done(first!);
    expect(window.take(0)?.lane).toBe(9n);
  });

  it('is of another lane of the organisation where the one whose turn it is has turned slow, and slow ones have their half', () => {
    const window = new SendWindow({ lane: 1, organisation: 1, process: 4 });
    const [slow, slower, first] = [1, 2, 0].map((lane) => delivery(lane));
    window.add([slow!, slower!, first!]);
    for (const expected of [slow, slower, first]) expect(window.take(0)).toBe(expected);
    window.add([delivery(3), delivery(6)]);
    expect(window.take(0)).toBeUndefined();
    for (const lane of [1n, 2n, 3n]) window.markSlow(lane, true);
    window.done(first!);
    expect(window.take(0)?.lane).toBe(6n);
    window.done(slow!);
    expect(window.take(0)).toBeUndefined(); // the organisation's place is taken
  });

  it('counts what waits on lanes that keep up as work of their organisation, and forgets lanes that are done', () => {
    const window = new SendWindow({ lane: 1, organisation: 9, process: 9 });
    window.add([delivery(0), delivery(0), delivery(0), delivery(3)]);
    expect(window.queuedOf('org-0')).toEqual({ all: 4, keepingUp: 4 });
    window.markSlow(0n, true);
    expect([window.queuedOf('org-0'), window.load.queued]).toEqual([{ all: 4, keepingUp: 1 }, 4]);
    window.markSlow(0n, false);
    expect(window.queuedOf('org-0')).toEqual({ all: 4, keepingUp: 4 });
    expect(window.emptyAll()).toHaveLength(4);
    while (window.take(0));
    window.add([delivery(1)]);
    window.done(window.take(0)!);
    expect([window.queuedOf('org-0'), window.lane(1n)]).toEqual([{ all: 0, keepingUp: 0 }, undefined]);
  });
});
