import fc from 'fast-check';
import { pauseAfter } from './circuit-breaker.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the circuit breaker of a lane', () => {
  it('lets fewer than five failures in a row pass', () => {
    for (const failures of [0, 1, 4]) expect(pauseAfter(failures, () => 0.99)).toBe(0);
  });

  it('leaves the lane alone for 5 s, and twice as long each time, up to a minute', () => {
    const pauses = [5, 6, 7, 8, 9, 10, 1_000_000].map((failures) => pauseAfter(failures, () => 0.5));
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('keeps within a fifth of that, and never gives a lane up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 2 ** 31 - 1 }), random, (failures, number) => {
        const middle = pauseAfter(failures, () => 0.5);
        const pause = pauseAfter(failures, () => number);
        expect(pause).toBeGreaterThanOrEqual(Math.floor(middle * 0.8));
        expect(pause).toBeLessThanOrEqual(Math.ceil(middle * 1.2));
        expect(Number.isInteger(pause)).toBe(true);
      }),
    );
  });

  it('calls a dead endpoint once a minute and not thousands of times, in virtual time', () => {
    let [nowMs, calls] = [0, 0];
    for (let failures = 0; nowMs < 60 * 60_000; failures += 1) {
      calls += 1;
      nowMs += pauseAfter(failures + 1, () => 0.5) + 20;
    }
    expect(calls).toBeGreaterThan(55);
    expect(calls).toBeLessThan(75);
  });
});
