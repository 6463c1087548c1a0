import { contains, type Dimensions, type SeriesKey } from './kpi-series.js';
import { changePercent, isBreached, type Comparator } from './threshold.js';

export const MEASURES = ['value', 'change_percent', 'minutes_missing'] as const;
/** What a rule compares with its threshold. */
export type Measure = (typeof MEASURES)[number];

export interface StandingRule {
  kpiCode: string;
  bucket: string;
  scope: string | null;
  logicalGuid: string | null;
  channelCode: string | null;
  dimensions: unknown;
  measure: string;
  comparator: string;
  threshold: number;
}

export interface JudgedBucket {
  bucketStart: Date;
  bucketEnd: Date;
  value: number;
}

/** What a rule says of a bucket. `measured` is what it has compared; undefined where the bucket being there is enough. */
export interface Verdict {
  bucket: JudgedBucket;
  measured: number | undefined;
  isBreached: boolean;
}

/** What the rule leaves open, any series has. */
export function watches(rule: StandingRule, key: SeriesKey): boolean {
  return (
    rule.kpiCode === key.kpiCode &&
    rule.bucket === key.bucket &&
    (rule.scope === null || rule.scope === key.scope) &&
    (rule.logicalGuid === null || rule.logicalGuid === key.logicalGuid) &&
    (rule.channelCode === null || rule.channelCode === key.channelCode) &&
    contains(key.dimensions, rule.dimensions as Dimensions)
  );
}

/**
 * What a rule says now that a bucket is written. A change is judged on both sides of it: the bucket after it may have been
 * recorded earlier, when there was nothing to compare it with, or something else.
 */
export function verdictsOf(
  rule: StandingRule,
  written: JudgedBucket,
  { before, after }: { before: JudgedBucket | undefined; after: JudgedBucket | undefined },
): Verdict[] {
  if (rule.measure === 'minutes_missing') return [{ bucket: written, measured: undefined, isBreached: false }];
  if (rule.measure === 'value') return [verdict(rule, written, written.value)];
  const steps: [JudgedBucket | undefined, JudgedBucket | undefined][] = [
    [before, written],
    [written, after],
  ];
  return steps.flatMap(([from, to]) => {
    const percent = from && to && changePercent(from.value, to.value);
    return to && percent !== undefined ? [verdict(rule, to, percent)] : [];
  });
}

function verdict({ comparator, threshold }: StandingRule, bucket: JudgedBucket, measured: number): Verdict {
  const limit = { comparator: comparator as Comparator, value: threshold };
  return { bucket, measured, isBreached: isBreached(measured, limit) };
}
