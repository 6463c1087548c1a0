import fc from 'fast-check';
import { Metrics } from '../platform/telemetry/metrics.js';
import { log } from '../platform/telemetry/logger.js';
import { DeliveryCounters } from './delivery-counters.service.js';
import { DueLanes } from './due-lanes.service.js';
import { Lease, type LeasedDelivery } from './leased-delivery.js';
import type { Dead, Delivered, Waiting } from './settlement.repository.js';
import { Settlement } from './settlement.service.js';

const attempt = { httpStatus: 200, durationMs: 1, errorTag: null, excerpt: null };
type Kind = 'delivered' | 'waiting' | 'dead';

/** A database that keeps what it is told, and fails when it is told to. */
class Ledger {
  readonly written: { kind: Kind; position: bigint }[] = [];
  readonly finished: bigint[] = [];
  /** Whether each statement to come fails. */
  failures: boolean[] = [];

  delivered(results: readonly Delivered[], finished: readonly bigint[] = []): Promise<number> {
    return this.keep('delivered', results, finished);
  }
  waiting(results: readonly Waiting[], finished: readonly bigint[] = []): Promise<number> {
    return this.keep('waiting', results, finished);
  }
  settle(results: readonly Dead[]): Promise<number> {
    return this.keep('dead', results, []);
  }

  private keep(
    kind: Kind,
    results: readonly { delivery: LeasedDelivery }[],
    finished: readonly bigint[],
  ): Promise<number> {
    if (this.failures.shift()) return Promise.reject(new Error('the database is away'));
    this.written.push(...results.map(({ delivery }) => ({ kind, position: delivery.position })));
    this.finished.push(...finished);
    return Promise.resolve(results.length);
  }
}

function leased(lease: Lease, position: bigint, isOrdered = false): LeasedDelivery {
  lease.unsettled += 1;
  const rest = { orgcode: 'org', replayNo: 0, attempts: 0, lostWith: 0, createdAt: new Date(0), event: undefined };
  return { ...rest, lane: 1n, position, lease, isOrdered };
}

class Scene {
  readonly ledger = new Ledger();
  readonly due = new DueLanes();
  private readonly settlement: Settlement;

  constructor(counters: DeliveryCounters, failures: boolean[] = []) {
    this.ledger.failures = failures;
    this.settlement = new Settlement(this.ledger as never, this.ledger as never, this.due, counters);
  }

  add(kind: Kind, delivery: LeasedDelivery): void {
    if (kind === 'delivered') this.settlement.addDelivered({ delivery, attempt });
    else if (kind === 'waiting') this.settlement.addWaiting({ delivery, attempt, afterMs: 0, letsPass: false });
    else this.settlement.addDead({ delivery, attempt, errorTag: 'http_500', reason: 'attempts_exhausted' });
  }

  drained(): Promise<void> {
    return this.settlement.drained();
  }
}

describe('writing results', () => {
  const counters = new DeliveryCounters(new Metrics());
  const level = log.level;
  beforeAll(() => (log.level = 'silent'));
  afterAll(() => (log.level = level));

  it('loses none and writes none twice, whichever statements fail, and ends each lease with its last result', async () => {
    const kind = fc.constantFrom<Kind>('delivered', 'waiting', 'dead');
    const results = fc.array(fc.tuple(kind, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 50 });
    const cases = fc.sample(fc.tuple(results, fc.array(fc.boolean(), { maxLength: 8 })), 300);
    // beside each other, because each waits a while after a failure
    await Promise.all(
      cases.map(async ([given, failures]) => {
        const scene = new Scene(counters, [...failures]);
        const leases = [1n, 2n, 3n, 4n].map((fence) => new Lease(fence, Infinity));
        const deliveries = given.map(([, lease], n) => leased(leases[lease]!, BigInt(n)));
        given.forEach(([kind], n) => scene.add(kind, deliveries[n]!));
        await scene.drained();
        const { written, finished } = scene.ledger;
        const inOrder = written.sort((a, b) => Number(a.position - b.position));
        expect({ failures, inOrder }).toEqual({
          failures,
          inOrder: given.map(([kind], n) => ({ kind, position: BigInt(n) })),
        });
        expect(leases.map(({ unsettled }) => unsettled)).toEqual([0, 0, 0, 0]);
        expect(new Set(finished).size).toBe(finished.length);
        if (!given.some(([kind]) => kind === 'dead'))
          expect(finished.sort()).toEqual([...new Set(given.map(([, lease]) => BigInt(lease + 1)))].sort());
      }),
    );
  });

  it('gives up what could not be written while its lease lasted, and does not count on it any more', async () => {
    const [short, long] = [new Lease(1n, performance.now() + 100), new Lease(2n, Infinity)];
    const scene = new Scene(counters, [true, true]);
    scene.add('delivered', leased(short, 1n));
    scene.add('delivered', leased(long, 2n));
    await scene.drained();
    expect(scene.ledger.written).toEqual([{ kind: 'delivered', position: 2n }]);
    expect([short.unsettled, long.unsettled]).toEqual([0, 0]);
  });

  it('counts results that were no longer ours', async () => {
    const scene = new Scene(counters);
    scene.ledger.delivered = () => Promise.resolve(1);
    const lease = new Lease(1n, Infinity);
    const superseded = jest.spyOn(counters, 'superseded');
    for (const position of [1n, 2n, 3n]) scene.add('delivered', leased(lease, position));
    await scene.drained();
    expect(superseded.mock.calls).toEqual([[2]]);
    expect(lease.unsettled).toBe(0);
    superseded.mockRestore();
  });

  it('says which lanes have something due: of a retry, and of the next one of a key', async () => {
    const scene = new Scene(counters);
    const lease = new Lease(1n, Infinity);
    scene.add('delivered', leased(lease, 1n));
    await scene.drained();
    expect(scene.due.isEmpty).toBe(true);
    for (const [kind, isOrdered] of [
      ['waiting', false],
      ['delivered', true],
      ['dead', true],
    ] as const) {
      scene.add(kind, leased(lease, 2n, isOrdered));
      await scene.drained();
      await new Promise((resolve) => setTimeout(resolve, 5));
      scene.due.tick();
      expect([kind, scene.due.take(1)]).toEqual([kind, [{ lane: 1n, orgcode: 'org' }]]);
    }
  });
});
