import { jittered } from '../platform/outgoing/jitter.js';

const OPENS_AT = 5;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

export interface LaneFailures {
  inARow: number;
  /** From the first of them to the last. */
  forMs: number;
}

export function isOpen(failuresInARow: number): boolean {
  return failuresInARow >= OPENS_AT;
}

/**
 * How long a lane that fails is left alone: as long as it has failed already, so that the pause doubles with each probe. The calls that
 * were on their way when an endpoint went down count as one failure here, however many they are. It is probed then with one call
 * at a time, never given up: whether it is paused is another question. No delivery loses an attempt meanwhile.
 */
export function pauseAfter({ inARow, forMs }: LaneFailures, random: () => number): number {
  if (!isOpen(inARow)) return 0;
  return jittered(Math.min(Math.max(forMs, FIRST_PAUSE_MS), LONGEST_PAUSE_MS), random);
}
