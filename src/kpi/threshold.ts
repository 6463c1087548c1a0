export const COMPARATORS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;
export type Comparator = (typeof COMPARATORS)[number];

export interface Threshold {
  comparator: Comparator;
  value: number;
}

const COMPARED: Readonly<Record<Comparator, (value: number, limit: number) => boolean>> = {
  gt: (value, limit) => value > limit,
  gte: (value, limit) => value >= limit,
  lt: (value, limit) => value < limit,
  lte: (value, limit) => value <= limit,
  eq: (value, limit) => value === limit,
  neq: (value, limit) => value !== limit,
};

export function isBreached(value: number, { comparator, value: limit }: Threshold): boolean {
  return COMPARED[comparator](value, limit);
}

/** By how many percent a value differs from the one before; undefined where no number says so: something after nothing, or too much. */
export function changePercent(before: number, now: number): number | undefined {
  if (before === now) return 0;
  const percent = ((now - before) / Math.abs(before)) * 100;
  return Number.isFinite(percent) ? percent : undefined;
}
