/** Upper bounds of the classes in which the age of an event at its delivery is counted, in milliseconds; the last class has none. */
export const AGE_BOUNDS_MS = [
  5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000, 43_200_000,
];
export const AGE_CLASSES = AGE_BOUNDS_MS.length + 1;

export function ageClass(ageMs: number): number {
  const found = AGE_BOUNDS_MS.findIndex((bound) => ageMs <= bound);
  return found === -1 ? AGE_BOUNDS_MS.length : found;
}

/** The bound under which that share of them was; undefined where there were none, the last bound where it was above it. */
export function ageQuantile(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let seen = 0;
  const found = counts.findIndex((count) => (seen += count) >= total * share);
  return AGE_BOUNDS_MS[Math.min(found, AGE_BOUNDS_MS.length - 1)];
}
