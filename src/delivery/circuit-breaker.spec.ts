import fc from 'fast-check';
import { isOpen, pauseAfter } from './circuit-breaker.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the circuit breaker of a lane', () => {
  it('lets fewer than five failures in a row pass, however long they take', () => {
    for (const inARow of [0, 1, 4]) {
      expect(isOpen(inARow)).toBe(false);
      expect(pauseAfter({ inARow, forMs: 3_600_000 }, () => 0.99)).toBe(0);
    }
  });

  it('leaves the lane alone for 5 s, then for as long as it has failed, up to a minute', () => {
    const pauses = [0, 5_000, 10_000, 20_000, 59_000, 3_600_000].map((forMs) =>
      pauseAfter({ inARow: 5, forMs }, () => 0.5),
    );
    expect(pauses).toEqual([5_000, 5_000, 10_000, 20_000, 59_000, 60_000]);
  });

  it('takes sixty calls that fail together for one failure: an endpoint that starts anew has its deliveries after 5 s', () => {
    const inARow = fc.integer({ min: 5, max: 2 ** 31 - 1 });
    fc.assert(fc.property(inARow, (count) => pauseAfter({ inARow: count, forMs: 200 }, () => 0.5) === 5_000));
  });

  it('keeps within a fifth of that, and never gives a lane up', () => {
    const failures = fc.record({ inARow: fc.integer({ min: 5, max: 2 ** 31 - 1 }), forMs: fc.nat() });
    fc.assert(
      fc.property(failures, random, (run, number) => {
        const middle = pauseAfter(run, () => 0.5);
        const pause = pauseAfter(run, () => number);
        expect(pause).toBeGreaterThanOrEqual(Math.floor(middle * 0.8));
        expect(pause).toBeLessThanOrEqual(Math.ceil(middle * 1.2));
        expect(Number.isInteger(pause)).toBe(true);
      }),
    );
  });

  it('calls a dead endpoint once a minute and not thousands of times, in virtual time', () => {
    let [nowMs, calls] = [0, 0];
    while (nowMs < 60 * 60_000) {
      calls += 1;
      nowMs += pauseAfter({ inARow: calls, forMs: nowMs }, () => 0.5) + 20;
    }
    expect(calls).toBeGreaterThan(55);
    expect(calls).toBeLessThan(75);
  });
});
