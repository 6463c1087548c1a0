/** When a webhook is paused by itself, as its setting `auto_pause` says it. */
export type AutoPauseThresholds = { never: true } | { failures: number; after_seconds: number };

const DEFAULT_AUTO_PAUSE: AutoPauseThresholds = { failures: 20, after_seconds: 6 * 60 * 60 };

export interface FailureRun {
  consecutiveFailures: number;
  /** When the first of them failed; null where none did. */
  failingSince: Date | null;
  now: Date;
  /** The warning was given already for this run. */
  isWarned?: boolean;
}

export type AutoPauseStep = 'none' | 'warn' | 'pause';

/** Both must be reached, the count and the time: an evening's outage is retried, and a busy webhook fails a hundred times in it. */
export function autoPauseStep(run: FailureRun, thresholds: AutoPauseThresholds = DEFAULT_AUTO_PAUSE): AutoPauseStep {
  const { consecutiveFailures, failingSince, now, isWarned = false } = run;
  if ('never' in thresholds || failingSince === null || consecutiveFailures === 0) return 'none';
  const isLongEnough = now.getTime() - failingSince.getTime() >= thresholds.after_seconds * 1_000;
  if (isLongEnough && consecutiveFailures >= thresholds.failures) return 'pause';
  return !isWarned && consecutiveFailures * 2 >= thresholds.failures ? 'warn' : 'none';
}
