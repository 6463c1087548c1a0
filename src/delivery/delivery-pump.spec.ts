import { EventEmitter } from 'node:events';
import { DeliveryPump } from './delivery-pump.service.js';
import type { LaneHold } from './lane-health.service.js';
import { Lease, type LeasedDelivery } from './leased-delivery.js';

const LANE = 5n;
const TARGET = { lane: LANE, status: 'active', secrets: ['s'], timeoutMs: 100, activation: 1 };

describe('the pump of deliveries', () => {
  let holds: LaneHold[];
  let sent: bigint[];
  let givenBack: bigint[];
  let pump: DeliveryPump;
  let activation: number;

  beforeEach(() => {
    [holds, sent, givenBack, activation] = [[], [], [], 1];
    const stop = {
      isStopping: false,
      signal: Object.assign(new EventEmitter(), { addEventListener: () => undefined }),
    };
    const sender = {
      needsMs: () => 0,
      send: (delivery: LeasedDelivery) => {
        sent.push(delivery.position);
        return new Promise(() => undefined);
      },
    };
    const results = {
      giveBack: (deliveries: LeasedDelivery[]) => givenBack.push(...deliveries.map(({ position }) => position)),
      isTooOld: () => false,
      ended: () => false,
    };
    const health = { flush: () => Promise.resolve(holds.splice(0)) };
    const targets = { byLane: () => ({ ...TARGET, activation }) };
    pump = new DeliveryPump(
      {} as never,
      stop as never,
      targets as never,
      sender as never,
      results as never,
      health as never,
    );
  });

  const delivery = (position: bigint): LeasedDelivery =>
    ({
      orgcode: 'acme',
      lane: LANE,
      position,
      lease: new Lease(1n, performance.now() + 60_000),
      attempts: 0,
      lostWith: 0,
      event: {},
    }) as unknown as LeasedDelivery;

  it('sends what it is handed', () => {
    pump.accept([delivery(1n)]);
    expect([sent, givenBack]).toEqual([[1n], []]);
  });

  it('gives back what comes for a lane that was found failing in the meantime: nobody would wake it for that', async () => {
    pump.accept([delivery(1n)]);
    holds = [{ lane: LANE, forMs: 60_000 }];
    await pump.flushHealth();
    pump.accept([delivery(2n)]);
    expect([sent, givenBack]).toEqual([[1n], [2n]]);
    expect(pump.load).toMatchObject({ queued: 0 });
  });

  it('sends at once to one that was set active anew, however long the last activation would have been left alone', async () => {
    pump.accept([delivery(1n)]);
    holds = [{ lane: LANE, forMs: 60_000 }];
    await pump.flushHealth();
    activation = 2;
    pump.accept([delivery(2n)]);
    expect([sent, givenBack]).toEqual([[1n, 2n], []]);
  });

  it('takes so many of an organisation that as many are left for who comes late, and shares them out among its lanes', () => {
    const many = (count: number, orgcode: string): LeasedDelivery[] =>
      Array.from({ length: count }, (_, n) => ({ ...delivery(BigInt(n)), orgcode, lane: BigInt(count) }));
    expect(pump.roomOfOrganisation('acme')).toBe(20_000);
    pump.accept(many(8_064, 'acme')); // of which 64 are on their way
    expect([pump.roomOfOrganisation('acme'), pump.roomOfOrganisation('late')]).toEqual([4_000, 12_000]);
    pump.accept(many(2_064, 'acme'));
    expect([pump.roomOfOrganisation('acme'), pump.roomOfOrganisation('late')]).toEqual([0, 10_000]);
    const laneOf = (orgcode: string): never => ({ ...TARGET, orgcode }) as never;
    expect(pump.roomOf(laneOf('acme'))).toBe(0);
    expect([pump.roomOf(laneOf('late')), pump.roomOf(laneOf('late'), 10)]).toEqual([2_000, 1_000]);
  });
});
