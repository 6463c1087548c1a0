import fc from 'fast-check';
import { autoPauseStep, type AutoPauseThresholds, type FailureRun } from './auto-pause.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const HOUR = 3_600;
const failing = (consecutiveFailures: number, forSeconds: number, isWarned = false): FailureRun => ({
  consecutiveFailures,
  failingSince: new Date(NOW.getTime() - forSeconds * 1_000),
  now: NOW,
  isWarned,
});

const thresholds = fc.record({
  failures: fc.integer({ min: 1, max: 10_000 }),
  after_seconds: fc.integer({ min: 0, max: 604_800 }),
});
const run = fc.record({
  failures: fc.integer({ min: 0, max: 20_000 }),
  seconds: fc.integer({ min: 0, max: 1_000_000 }),
});

describe('auto-pause', () => {
  it('pauses after 20 failures in a row over at least six hours, and warns at ten, unless told otherwise', () => {
    expect(autoPauseStep(failing(9, 7 * HOUR))).toBe('none');
    expect(autoPauseStep(failing(10, 1))).toBe('warn');
    expect(autoPauseStep(failing(19, 7 * HOUR, true))).toBe('none');
    expect(autoPauseStep(failing(5_000, 6 * HOUR - 1, true))).toBe('none');
    expect(autoPauseStep(failing(20, 6 * HOUR, true))).toBe('pause');
    expect(autoPauseStep(failing(20, 6 * HOUR))).toBe('pause');
  });

  it('needs both the count and the time, whatever they are, and never pauses where it never shall', () => {
    fc.assert(
      fc.property(thresholds, run, fc.boolean(), (limits, { failures, seconds }, isWarned) => {
        const state = failing(failures, seconds, isWarned);
        const mustPause = failures >= limits.failures && seconds >= limits.after_seconds;
        expect(autoPauseStep(state, limits) === 'pause').toBe(mustPause);
        expect(autoPauseStep(state, { never: true })).toBe('none');
      }),
    );
  });

  it('warns once in a run, before it pauses, and again in the next run', () => {
    fc.assert(
      fc.property(
        fc.record({ failures: fc.integer({ min: 2, max: 200 }), after_seconds: fc.integer({ min: 0, max: 5_000 }) }),
        fc.array(fc.oneof({ weight: 40, arbitrary: fc.constant(false) }, fc.constant(true)), { maxLength: 600 }),
        (limits: AutoPauseThresholds & { failures: number; after_seconds: number }, successes) => {
          let state: FailureRun = { consecutiveFailures: 0, failingSince: null, now: NOW };
          let warnings = 0;
          for (const [i, isSuccess] of successes.entries()) {
            const now = new Date(NOW.getTime() + i * 10_000);
            if (isSuccess) {
              state = { consecutiveFailures: 0, failingSince: null, now };
              warnings = 0;
              expect(autoPauseStep(state, limits)).toBe('none');
              continue;
            }
            const consecutiveFailures = state.consecutiveFailures + 1;
            state = { ...state, consecutiveFailures, failingSince: state.failingSince ?? now, now };
            const step = autoPauseStep(state, limits);
            if (step === 'warn') {
              warnings += 1;
              state = { ...state, isWarned: true };
              expect(state.consecutiveFailures).toBe(Math.ceil(limits.failures / 2));
            }
            expect(warnings).toBeLessThanOrEqual(1);
            if (step !== 'pause') continue;
            expect(warnings).toBe(1);
            return;
          }
        },
      ),
    );
  });
});
