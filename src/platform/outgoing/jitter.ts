const JITTER = 0.2;

/** Up to a fifth less or more, so that those who failed together do not come back together. `random` is in [0, 1). */
export function jittered(durationMs: number, random: () => number): number {
  return Math.round(durationMs * (1 - JITTER + 2 * JITTER * random()));
}
