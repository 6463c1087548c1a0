import { setTimeout as sleep } from 'node:timers/promises';
import { Lease, type LeasedDelivery } from './leased-delivery.js';
import { Settlement } from './settlement.service.js';
import type { Delivered } from './settlement.repository.js';

describe('results that cannot be written before their lease is over', () => {
  let isDatabaseAway: boolean;
  let written: { positions: bigint[]; finished: readonly bigint[] }[];
  let settlement: Settlement;

  beforeEach(() => {
    [isDatabaseAway, written] = [true, []];
    const delivered = (results: readonly Delivered[], finished: readonly bigint[]): Promise<number> => {
      if (isDatabaseAway) return Promise.reject(new Error('away'));
      written.push({ positions: results.map(({ delivery }) => delivery.position), finished });
      return Promise.resolve(results.length);
    };
    const nothing = { note: () => undefined, superseded: () => undefined };
    settlement = new Settlement({ delivered } as never, {} as never, nothing as never, nothing as never);
  });

  const result = (lease: Lease, position: bigint): Delivered => {
    lease.unsettled += 1;
    const delivery = { lane: 1n, position, replayNo: 0, orgcode: 'acme', lease } as LeasedDelivery;
    return { delivery, attempt: { httpStatus: 200, durationMs: 1, errorTag: null, excerpt: null } };
  };

  it('are forgotten, and their lease runs out in the database, where others find what is left of it', async () => {
    const lease = new Lease(7n, performance.now() + 20);
    const last = result(lease, 2n);
    settlement.addDelivered(result(lease, 1n));
    await sleep(400);
    expect([lease.unsettled, lease.isAbandoned]).toEqual([1, true]);
    lease.extendTo(performance.now() + 60_000);
    expect(lease.lastsFor(0)).toBe(false);
    isDatabaseAway = false;
    settlement.addDelivered(last);
    await settlement.drained();
    expect(written).toEqual([{ positions: [2n], finished: [] }]);
    expect(lease.unsettled).toBe(0);
  });

  it('are tried again while it lasts, and the last of them ends it', async () => {
    const lease = new Lease(7n, performance.now() + 60_000);
    settlement.addDelivered(result(lease, 1n));
    await sleep(50);
    isDatabaseAway = false;
    await settlement.drained();
    expect(written).toEqual([{ positions: [1n], finished: [7n] }]);
  });
});
