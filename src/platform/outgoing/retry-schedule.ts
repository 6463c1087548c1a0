import { jittered } from './jitter.js';
import { retryAfterMs } from './retry-after.js';

/** What became of one attempt, as the guarded client tells it. */
export interface AttemptOutcome {
  status: number | undefined;
  /** Why nobody answered; undefined where somebody did. */
  errorTag: string | undefined;
  retryAfter: string | undefined;
}

export interface AttemptCircumstances {
  /** This one included. */
  attempts: number;
  /** Seconds before each attempt, the first included. */
  schedule: readonly number[];
  /** Without the time that a pause held it. */
  ageSeconds: number;
  maxAgeSeconds: number;
  /** Asked for by somebody: no other attempt follows. */
  isAlone: boolean;
  nowMs: number;
}

export type DeathReason = 'attempts_exhausted' | 'too_old';

export type Verdict =
  | { kind: 'delivered' }
  | { kind: 'retry'; afterMs: number; errorTag: string }
  | { kind: 'dead'; reason: DeathReason; errorTag: string }
  /** The receiver says that it wants nothing any more: the webhook is paused, and the delivery waits with it. */
  | { kind: 'gone'; errorTag: string };

const GONE = 410;
const MAY_ASK_TO_WAIT: readonly (number | undefined)[] = [429, 503];
const MAX_ASKED_MS = 60 * 60_000;

/** What an attempt means for its delivery. */
export function verdictAfter(
  outcome: AttemptOutcome,
  circumstances: AttemptCircumstances,
  random: () => number,
): Verdict {
  const errorTag = failureOf(outcome);
  if (errorTag === undefined) return { kind: 'delivered' };
  const { attempts, schedule, ageSeconds, maxAgeSeconds, isAlone, nowMs } = circumstances;
  if (isAlone) return { kind: 'dead', reason: 'attempts_exhausted', errorTag };
  if (outcome.status === GONE) return { kind: 'gone', errorTag };
  const nextSeconds = schedule[attempts];
  if (nextSeconds === undefined) return { kind: 'dead', reason: 'attempts_exhausted', errorTag };
  if (ageSeconds > maxAgeSeconds) return { kind: 'dead', reason: 'too_old', errorTag };
  const ownMs = jittered(nextSeconds * 1_000, random);
  return { kind: 'retry', afterMs: Math.max(ownMs, askedMs(outcome, nowMs)), errorTag };
}

/** Undefined for 2xx. docs/webhooks-receiving.md lists the tags. */
function failureOf({ status, errorTag }: AttemptOutcome): string | undefined {
  if (status === undefined) return errorTag ?? 'call_failed';
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400 ? 'redirect_refused' : `http_${status}`;
}

function askedMs({ status, retryAfter }: AttemptOutcome, nowMs: number): number {
  if (!MAY_ASK_TO_WAIT.includes(status)) return 0;
  return Math.min(retryAfterMs(retryAfter, nowMs) ?? 0, MAX_ASKED_MS);
}
