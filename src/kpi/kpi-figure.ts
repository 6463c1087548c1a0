import type { FieldProblem } from '../platform/errors/app-error.js';
import { bucketProblem, type Bucket, type OrganisationCalendar, type Period } from './bucket-time.js';
import type { KpiFigureFields } from './kpi.dto.js';
import { dimensionProblem, scopeOf, seriesKeyOf, type SeriesFields, type SeriesKey } from './kpi-series.js';

/** A figure of one bucket, its form checked. */
export interface KpiFigure extends Period {
  key: SeriesKey;
  kpiId: string | undefined;
  value: number;
  valueUnit: string | undefined;
  sampleCount: number | undefined;
  computedAt: Date | undefined;
  policyRefs: object | undefined;
}

const OWN_PREFIX = 'ipm.';

/** IPM's own work is told by IPM alone, so that who watches it can believe it. */
export function isOwnKpi(kpiCode: string): boolean {
  return kpiCode.startsWith(OWN_PREFIX);
}

interface BucketFields extends SeriesFields {
  bucket: Bucket;
  bucket_start: string;
  bucket_end: string;
}

/** What of a place and its dimensions cannot be, wherever they are named. */
export function placeProblems(
  { scope, logical_guid, dimensions }: Pick<SeriesFields, 'scope' | 'logical_guid' | 'dimensions'>,
  at = '',
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (scopeOf({ scope, logical_guid }) === 'facility' && logical_guid === undefined)
    problems.push({ path: `${at}logical_guid`, tag: 'required' });
  const dimension = dimensionProblem(dimensions ?? {});
  if (dimension) {
    const path = dimension.name === undefined ? 'dimensions' : `dimensions.${dimension.name}`;
    problems.push({ path: at + path, tag: dimension.tag });
  }
  return problems;
}

export function bucketProblems(fields: BucketFields, calendar: OrganisationCalendar, at = ''): FieldProblem[] {
  const problem = bucketProblem(fields.bucket, periodOf(fields), calendar);
  return [...placeProblems(fields, at), ...(problem ? [{ path: at + problem.path, tag: problem.tag }] : [])];
}

export function periodOf({ bucket_start, bucket_end }: Pick<BucketFields, 'bucket_start' | 'bucket_end'>): Period {
  return { start: new Date(bucket_start), end: new Date(bucket_end) };
}

export function figureOf(fields: KpiFigureFields, policyRefs: object | undefined): KpiFigure {
  return {
    ...periodOf(fields),
    key: seriesKeyOf(fields),
    kpiId: fields.kpi_id,
    value: fields.value,
    valueUnit: fields.value_unit,
    sampleCount: fields.sample_count,
    computedAt: fields.computed_at === undefined ? undefined : new Date(fields.computed_at),
    policyRefs,
  };
}
