import { createHash } from 'node:crypto';
import type { Bucket } from './bucket-time.js';

export const SCOPES = ['org', 'facility'] as const;
export type Scope = (typeof SCOPES)[number];

export type DimensionValue = string | number | boolean | null;
export type Dimensions = Readonly<Record<string, DimensionValue>>;

/** What makes a figure another one than its neighbour in time: all of it together is one line in a chart. */
export interface SeriesKey {
  kpiCode: string;
  bucket: Bucket;
  scope: Scope;
  logicalGuid: string | undefined;
  channelCode: string | undefined;
  dimensions: Dimensions;
}

/** How the wire names a series. */
export interface SeriesFields {
  kpi_code: string;
  bucket: Bucket;
  scope?: Scope | undefined;
  logical_guid?: string | undefined;
  channel_code?: string | undefined;
  dimensions?: object | undefined;
}

export interface DimensionProblem {
  /** Of one dimension, or of all of them. */
  name: string | undefined;
  tag: 'too_many' | 'not_a_name' | 'not_flat' | 'too_long';
}

const MAX_DIMENSIONS = 16;
const MAX_NAME = 64;
const MAX_TEXT = 256;

export function scopeOf({ scope, logical_guid }: Pick<SeriesFields, 'scope' | 'logical_guid'>): Scope {
  return scope ?? (logical_guid === undefined ? 'org' : 'facility');
}

/** Of fields that were checked. */
export function seriesKeyOf(fields: SeriesFields): SeriesKey {
  return {
    kpiCode: fields.kpi_code,
    bucket: fields.bucket,
    scope: scopeOf(fields),
    logicalGuid: fields.logical_guid,
    channelCode: fields.channel_code,
    dimensions: (fields.dimensions ?? {}) as Dimensions,
  };
}

/** The same for the same series, in whatever order its dimensions are named. */
export function seriesIdentity({ kpiCode, bucket, scope, logicalGuid, channelCode, dimensions }: SeriesKey): Buffer {
  const sorted = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [kpiCode, bucket, scope, logicalGuid ?? '', channelCode ?? '', sorted];
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

/** The same for all series of a KPI and bucket at one place: what every query names. */
export function familyOf({
  kpiCode,
  bucket,
  scope,
  logicalGuid,
}: Omit<SeriesKey, 'channelCode' | 'dimensions'>): bigint {
  const parts = [kpiCode, bucket, scope, logicalGuid ?? ''];
  return createHash('sha256').update(JSON.stringify(parts)).digest().readBigInt64BE();
}

/** Small and flat, so that containment is the whole language: no dimension is a question. */
export function dimensionProblem(dimensions: object): DimensionProblem | undefined {
  const entries = Object.entries(dimensions) as [string, unknown][];
  if (entries.length > MAX_DIMENSIONS) return { name: undefined, tag: 'too_many' };
  for (const [name, value] of entries) {
    if (name.length === 0 || name.length > MAX_NAME) return { name: name.slice(0, MAX_NAME), tag: 'not_a_name' };
    if (typeof value === 'object' && value !== null) return { name, tag: 'not_flat' };
    if (typeof value === 'string' && value.length > MAX_TEXT) return { name, tag: 'too_long' };
  }
  return undefined;
}

/** As Postgres's `@>` of flat objects: every pair that is asked for is there, as it stands. */
export function contains(dimensions: Dimensions, asked: Dimensions): boolean {
  return Object.entries(asked).every(([name, value]) => Object.hasOwn(dimensions, name) && dimensions[name] === value);
}
