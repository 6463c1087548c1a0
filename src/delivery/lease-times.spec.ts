import { LeaseTimes } from './lease-times.js';

const LONGEST_TIMEOUT_MS = 30_000;

function timesOf(leaseSeconds: number): LeaseTimes {
  return new LeaseTimes({ delivery: { leaseSeconds } } as never);
}

describe('what follows from the length of a lease', () => {
  it('leaves every webhook its time where a minute is given', () => {
    expect(timesOf(60)).toMatchObject({ marginMs: 5_000, extendEveryMs: 15_000, longestCallMs: 39_000 });
    expect(timesOf(48).callMs(LONGEST_TIMEOUT_MS)).toBe(LONGEST_TIMEOUT_MS);
    expect(timesOf(47).callMs(LONGEST_TIMEOUT_MS)).toBeLessThan(LONGEST_TIMEOUT_MS);
  });

  it('lets a call that is begun just before an extension, which may come a second late, end with time to write its result', () => {
    for (let seconds = 5; seconds <= 600; seconds += 1) {
      const times = timesOf(seconds);
      expect(times.longestCallMs).toBeGreaterThanOrEqual(1_750);
      expect(times.extendEveryMs + 1_000 + times.callMs(LONGEST_TIMEOUT_MS) + times.marginMs).toBeLessThanOrEqual(
        times.ms,
      );
    }
  });

  it('gives nobody more time than was asked for', () => {
    expect(timesOf(60).callMs(100)).toBe(100);
  });
});
