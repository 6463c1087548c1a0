import fc from 'fast-check';
import { retryAfterMs } from './retry-after.js';
import { verdictAfter, type AttemptCircumstances, type AttemptOutcome } from './retry-schedule.js';

const DEFAULT_SCHEDULE = [0, 5, 30, 120, 600, 1_800, 3_600, 10_800, 25_200, 43_200];
const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const middle = (): number => 0.5;

const answered = (status: number, retryAfter?: string): AttemptOutcome => ({ status, errorTag: undefined, retryAfter });
const unanswered = (errorTag: string): AttemptOutcome => ({ status: undefined, errorTag, retryAfter: undefined });
const at = (attempts: number, others: Partial<AttemptCircumstances> = {}): AttemptCircumstances => ({
  attempts,
  schedule: DEFAULT_SCHEDULE,
  ageSeconds: 0,
  maxAgeSeconds: 259_200,
  isAlone: false,
  nowMs: NOW_MS,
  ...others,
});

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const schedule = fc.array(fc.integer({ min: 0, max: 86_400 }), { minLength: 1, maxLength: 20 });
const failedStatus = fc.integer({ min: 300, max: 999 }).filter((status) => status !== 410);
const failure = fc.oneof(
  fc.tuple(failedStatus, fc.option(fc.string(), { nil: undefined })).map(([status, after]) => answered(status, after)),
  fc.constantFrom('timeout', 'connection_refused').map(unanswered),
);

describe('what an attempt means for its delivery', () => {
  it('is delivered at any 2xx, and only then', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), fc.boolean(), random, (status, isAlone, number) => {
        const { kind } = verdictAfter(answered(status), at(1, { isAlone }), () => number);
        expect(kind === 'delivered').toBe(status >= 200 && status < 300);
      }),
    );
  });

  it('is, for an endpoint that always fails, one attempt for each entry of the schedule, each within a fifth of its time', () => {
    fc.assert(
      fc.property(schedule, fc.array(failure, { minLength: 20, maxLength: 20 }), random, (waits, failures, number) => {
        for (let attempts = 1; ; attempts += 1) {
          const outcome = { ...failures[attempts - 1]!, retryAfter: undefined };
          const verdict = verdictAfter(outcome, at(attempts, { schedule: waits }), () => number);
          if (verdict.kind === 'dead') {
            expect(verdict.reason).toBe('attempts_exhausted');
            expect(attempts).toBe(waits.length);
            return;
          }
          if (verdict.kind !== 'retry') throw new Error(verdict.kind);
          const seconds = waits[attempts]!;
          expect(verdict.afterMs).toBeGreaterThanOrEqual(Math.floor(seconds * 800));
          expect(verdict.afterMs).toBeLessThanOrEqual(Math.ceil(seconds * 1_200));
        }
      }),
    );
  });

  it('is ten attempts over a day by default', () => {
    const clock = { seconds: 0 };
    let attempts = 1;
    for (; ; attempts += 1) {
      const verdict = verdictAfter(answered(500), at(attempts, { ageSeconds: clock.seconds }), middle);
      if (verdict.kind !== 'retry') break;
      clock.seconds += verdict.afterMs / 1_000;
    }
    expect(attempts).toBe(10);
    expect(clock.seconds / 3_600).toBeCloseTo(23.7, 1);
  });

  it('waits as long as 429 and 503 ask, an hour at most and never shorter than its own wait', () => {
    fc.assert(
      fc.property(
        schedule,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.constantFrom(429, 503),
        random,
        (waits, attempts, asked, status, number) => {
          const circumstances = at(attempts, { schedule: waits });
          const own = verdictAfter(answered(status), circumstances, () => number);
          const told = verdictAfter(answered(status, String(asked)), circumstances, () => number);
          expect(told.kind).toBe(own.kind);
          if (told.kind !== 'retry' || own.kind !== 'retry') return;
          expect(told.afterMs).toBe(Math.max(own.afterMs, Math.min(asked * 1_000, HOUR_MS)));
        },
      ),
    );
    const inTenMinutes = new Date(NOW_MS + 600_000).toUTCString();
    expect(verdictAfter(answered(503, inTenMinutes), at(1), middle)).toMatchObject({ afterMs: 600_000 });
  });

  it('lets no other status ask', () => {
    for (const status of [301, 400, 408, 500, 502, 504])
      expect(verdictAfter(answered(status, '900'), at(1), middle)).toMatchObject({ afterMs: 5_000 });
  });

  it('is over with the one attempt of a replay, also where the receiver is gone: a replay pauses nothing', () => {
    fc.assert(
      fc.property(fc.oneof(failure, fc.constant(answered(410))), schedule, (outcome, waits) => {
        const verdict = verdictAfter(outcome, at(1, { schedule: waits, isAlone: true }), middle);
        expect(verdict).toMatchObject({ kind: 'dead', reason: 'attempts_exhausted' });
      }),
    );
  });

  it('is that the receiver is gone at 410, at whichever attempt and age', () => {
    for (const attempts of [1, 5, 10, 11])
      expect(verdictAfter(answered(410), at(attempts, { ageSeconds: 1e9 }), middle)).toEqual({
        kind: 'gone',
        errorTag: 'http_410',
      });
  });

  it('is that it waited too long once it is older than it may be', () => {
    const aged = (ageSeconds: number): unknown =>
      verdictAfter(answered(500), at(2, { ageSeconds, maxAgeSeconds: 60 }), middle);
    expect(aged(60)).toMatchObject({ kind: 'retry' });
    expect(aged(61)).toEqual({ kind: 'dead', reason: 'too_old', errorTag: 'http_500' });
    expect(verdictAfter(answered(200), at(2, { ageSeconds: 61, maxAgeSeconds: 60 }), middle).kind).toBe('delivered');
  });

  it.each([
    [answered(301), 'redirect_refused'],
    [answered(304), 'redirect_refused'],
    [answered(400), 'http_400'],
    [answered(503), 'http_503'],
    [unanswered('timeout'), 'timeout'],
    [{ ...unanswered(''), errorTag: undefined }, 'call_failed'],
  ])('names the failure of %j as %s', (outcome, errorTag) => {
    expect(verdictAfter(outcome, at(1), middle)).toMatchObject({ kind: 'retry', errorTag });
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['Sun, 99 Mar 2026 11:00:00 GMT', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e9', undefined],
    ['tomorrow', undefined],
    ['9'.repeat(400), undefined],
    ['2026-03-01T12:00:30Z', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j asks for %j ms', (header, expected) => {
    expect(retryAfterMs(header, NOW_MS)).toBe(expected);
  });
});
