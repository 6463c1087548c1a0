import { jittered } from '../platform/outgoing/jitter.js';

const OPENS_AT = 5;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * How long a lane is left alone after so many failures in a row. It is probed then with one call at a time, never given up: whether it is paused is another
 * question. No delivery loses an attempt meanwhile.
 */
export function pauseAfter(consecutiveFailures: number, random: () => number): number {
  if (consecutiveFailures < OPENS_AT) return 0;
  const doublings = Math.min(consecutiveFailures - OPENS_AT, 30);
  return jittered(Math.min(FIRST_PAUSE_MS * 2 ** doublings, LONGEST_PAUSE_MS), random);
}
