export const AGGREGATES = ['sum', 'avg', 'min', 'max', 'last', 'weighted'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** A figure of a smaller bucket. */
export interface FigurePart {
  value: number;
  sampleCount: number | null;
}

/** One figure out of those of smaller buckets. */
export interface RolledUp {
  value: number;
  /** How many samples the parts say they stand on, where any of them says so. */
  sampleCount: number | undefined;
}

/** Parts in the order of time. Undefined where they say nothing: there are none, none has a weight, or no number holds the result. */
export function rolledUp(aggregate: Aggregate, parts: readonly FigurePart[]): RolledUp | undefined {
  if (parts.length === 0) return undefined;
  const value = VALUES[aggregate](parts);
  const counts = parts.flatMap(({ sampleCount }) => (sampleCount === null ? [] : [sampleCount]));
  const sampleCount = counts.length === 0 ? undefined : sum(counts);
  if (!isKept(value) || (sampleCount !== undefined && !isKept(sampleCount))) return undefined;
  return { value, sampleCount };
}

const VALUES: Readonly<Record<Aggregate, (parts: readonly FigurePart[]) => number>> = {
  sum: (parts) => sum(valuesIn(parts)),
  avg: (parts) => sum(valuesIn(parts)) / parts.length,
  min: (parts) => Math.min(...valuesIn(parts)),
  max: (parts) => Math.max(...valuesIn(parts)),
  last: (parts) => parts.at(-1)?.value ?? NaN,
  weighted: (parts) => {
    const weights = parts.map(({ sampleCount }) => sampleCount ?? 0);
    return sum(parts.map(({ value }, i) => value * (weights[i] ?? 0))) / sum(weights);
  },
};

function valuesIn(parts: readonly FigurePart[]): number[] {
  return parts.map(({ value }) => value);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** As a caller may send it: an integer beyond 2^53 - 1 is no longer the number that it looks like. */
function isKept(value: number): boolean {
  return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
}
