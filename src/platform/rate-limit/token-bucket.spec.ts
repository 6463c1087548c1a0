import fc from 'fast-check';
import { bucketCapacity, takeTokens, type BucketState } from './token-bucket.js';

const perMinute = fc.integer({ min: 1, max: 100_000 });
const steps = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 120_000 }), wanted: fc.integer({ min: 1, max: 500 }) }),
  { maxLength: 40 },
);

describe('a token bucket', () => {
  it('starts full, with twice the rate', () => {
    expect(takeTokens(undefined, 10, 25, 0).taking).toEqual({ granted: 20, remaining: 0, waitMs: 6_000 });
  });

  it('grants no more than capacity and refill together, and never less than it could', () => {
    fc.assert(
      fc.property(perMinute, steps, (rate, calls) => {
        let state: BucketState | undefined;
        let nowMs = 1_000;
        let granted = 0;
        for (const { afterMs, wanted } of calls) {
          nowMs += afterMs;
          const { state: next, taking } = takeTokens(state, rate, wanted, nowMs);
          state = next;
          granted += taking.granted;
          expect(taking.granted).toBeGreaterThanOrEqual(0);
          expect(taking.granted).toBeLessThanOrEqual(wanted);
          if (taking.granted < wanted) expect(taking.remaining).toBe(0);
          expect(next.tokens).toBeGreaterThanOrEqual(0);
          expect(next.tokens).toBeLessThanOrEqual(bucketCapacity(rate));
        }
        expect(granted).toBeLessThanOrEqual(bucketCapacity(rate) + (rate * (nowMs - 1_000)) / 60_000 + 1);
      }),
    );
  });

  it('says how long to wait: then there is a token, and a moment earlier there is none', () => {
    fc.assert(
      fc.property(perMinute, (rate) => {
        const { state, taking } = takeTokens(undefined, rate, bucketCapacity(rate), 0);
        expect(taking.waitMs).toBeGreaterThan(0);
        expect(takeTokens(state, rate, 1, taking.waitMs + 1).taking.granted).toBe(1);
        if (taking.waitMs > 2) expect(takeTokens(state, rate, 1, taking.waitMs - 2).taking.granted).toBe(0);
      }),
    );
  });

  it('loses nothing to a clock that runs backwards, and gains nothing', () => {
    const { state } = takeTokens(undefined, 60, 100, 60_000);
    expect(takeTokens(state, 60, 1, 0).taking).toMatchObject({ granted: 1, remaining: 19 });
  });
});
