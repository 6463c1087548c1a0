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
});
