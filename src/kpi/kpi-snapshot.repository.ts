import { Injectable } from '@nestjs/common';
import { Prisma, type KpiSnapshot } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import type { Bucket, Period } from './bucket-time.js';
import { familyOf, type Dimensions, type Scope } from './kpi-series.js';

/** A figure as it is kept. */
export type SnapshotRecord = Omit<KpiSnapshot, 'orgcode' | 'family'>;

/** With what its series says of it, as lists show it. */
export interface SeriesSnapshot extends SnapshotRecord {
  kpiCode: string;
  bucket: Bucket;
  scope: Scope;
  logicalGuid: string;
  channelCode: string;
  dimensions: Dimensions;
}

export interface BucketKey {
  series: bigint;
  bucketStart: Date;
}

/** What is written of a figure, its bucket apart. */
export interface SnapshotValues extends BucketKey {
  family: bigint;
  bucketEnd: Date;
  kpiId: string;
  value: number;
  valueUnit: string | undefined;
  sampleCount: number | undefined;
  computedAt: Date | undefined;
  policyRefs: object | undefined;
}

/** Which figures: absent is any, dimensions are those that a series has among others. */
export interface SnapshotSearch {
  kpiCode: string;
  bucket: Bucket;
  scope: Scope;
  logicalGuid: string | undefined;
  channelCode: string | undefined;
  dimensions: Dimensions;
  period: Period;
}

const COLUMNS = Prisma.sql`s.series, s.bucket_start as "bucketStart", s.bucket_end as "bucketEnd", s.kpi_id as "kpiId", s.value,
  s.value_unit as "valueUnit", s.sample_count as "sampleCount", s.computed_at as "computedAt", s.policy_refs as "policyRefs",
  s.created_at as "createdAt", s.updated_at as "updatedAt", s.revision`;

/** Rows as one parameter: json keeps numbers and open objects as they are written. */
const ROWS = Prisma.sql`as r(series bigint, family bigint, bucket_start timestamptz, bucket_end timestamptz, kpi_id text, value float8, value_unit text,
  sample_count float8, computed_at timestamptz, policy_refs json)`;

/** Figures in their buckets. Who writes holds the lock of their series. */
@Injectable()
export class KpiSnapshotRepository {
  constructor(private readonly database: Database) {}

  /** What there is of these buckets, and what has one of these ids. */
  present(
    tx: Tx,
    orgcode: string,
    buckets: readonly BucketKey[],
    kpiIds: readonly string[],
  ): Promise<SnapshotRecord[]> {
    return tx.$queryRaw`
      select ${COLUMNS} from kpi_snapshot s
      join jsonb_to_recordset(${jsonOf(buckets.map(rowOfBucket))}::jsonb) as r(series bigint, bucket_start timestamptz)
        on s.series = r.series and s.bucket_start = r.bucket_start
      where s.orgcode = ${orgcode}
      union all
      select ${COLUMNS} from kpi_snapshot s where s.orgcode = ${orgcode} and s.kpi_id = any(${[...kpiIds]})`;
  }

  /** Those before and after these, where they touch. */
  neighbours(
    tx: Tx,
    orgcode: string,
    periods: readonly (BucketKey & { bucketEnd: Date })[],
  ): Promise<SnapshotRecord[]> {
    const rows = periods.map((period) => ({ ...rowOfBucket(period), bucket_end: period.bucketEnd.toISOString() }));
    return tx.$queryRaw`
      select ${COLUMNS} from jsonb_to_recordset(${jsonOf(rows)}::jsonb) as r(series bigint, bucket_start timestamptz, bucket_end timestamptz)
      cross join lateral (
        (select * from kpi_snapshot b where b.orgcode = ${orgcode} and b.series = r.series and b.bucket_start < r.bucket_start
         order by b.bucket_start desc limit 1)
        union all
        (select * from kpi_snapshot a where a.orgcode = ${orgcode} and a.series = r.series and a.bucket_start = r.bucket_end)) s
      where s.bucket_end = r.bucket_start or s.bucket_start = r.bucket_end`;
  }

  /** Leaves out what has the id of a figure that somebody records elsewhere at the same moment. */
  insert(tx: Tx, orgcode: string, figures: readonly SnapshotValues[]): Promise<SnapshotRecord[]> {
    return tx.$queryRaw`
      insert into kpi_snapshot as s (orgcode, series, family, bucket_start, bucket_end, kpi_id, value, value_unit, sample_count, computed_at, policy_refs)
      select ${orgcode}, r.series, r.family, r.bucket_start, r.bucket_end, r.kpi_id, r.value, r.value_unit, r.sample_count, r.computed_at, r.policy_refs
      from json_to_recordset(${jsonOf(figures.map(rowOf))}::json) ${ROWS}
      order by r.kpi_id
      on conflict do nothing
      returning ${COLUMNS}`;
  }

  /** Their revisions must have been compared. */
  revise(tx: Tx, orgcode: string, figures: readonly SnapshotValues[]): Promise<SnapshotRecord[]> {
    return tx.$queryRaw`
      update kpi_snapshot s set bucket_end = r.bucket_end, value = r.value, value_unit = r.value_unit, sample_count = r.sample_count,
        computed_at = r.computed_at, policy_refs = r.policy_refs, updated_at = clock_timestamp(), revision = s.revision + 1
      from json_to_recordset(${jsonOf(figures.map(rowOf))}::json) ${ROWS}
      where s.orgcode = ${orgcode} and s.series = r.series and s.bucket_start = r.bucket_start
      returning ${COLUMNS}`;
  }

  /** By the start of their buckets. First the keys of the page are found in an index, then only these rows are read. */
  page(
    orgcode: string,
    search: SnapshotSearch,
    after: BucketKey | undefined,
    limit: number,
  ): Promise<SeriesSnapshot[]> {
    const isOfAll = search.channelCode === undefined && Object.keys(search.dimensions).length === 0;
    const keys = isOfAll ? keysOfFamily(orgcode, search, after, limit) : keysOfSeries(orgcode, search, after, limit);
    return this.database.rows<SeriesSnapshot>(
      orgcode,
      Prisma.sql`
        select ${COLUMNS}, f.kpi_code as "kpiCode", f.bucket, f.scope, f.logical_guid as "logicalGuid", f.channel_code as "channelCode", f.dimensions
        from (${keys}) first
        join kpi_snapshot s on s.orgcode = ${orgcode} and s.series = first.series and s.bucket_start = first.bucket_start
        join kpi_series f on f.orgcode = ${orgcode} and f.series = first.series and f.kpi_code = ${search.kpiCode}
        order by s.bucket_start, s.series`,
    );
  }
}

/** Neighbours in the index of all series of a KPI at a place. */
function keysOfFamily(
  orgcode: string,
  search: SnapshotSearch,
  after: BucketKey | undefined,
  limit: number,
): Prisma.Sql {
  return Prisma.sql`
    select b.series, b.bucket_start from kpi_snapshot b where b.orgcode = ${orgcode} and b.family = ${familyOf(search)}
      and ${within(search.period, after)}
    order by b.bucket_start, b.series limit ${limit}`;
}

/** The first keys of each series that matches, and of all of these the first: what it costs does not grow with their length. */
function keysOfSeries(
  orgcode: string,
  search: SnapshotSearch,
  after: BucketKey | undefined,
  limit: number,
): Prisma.Sql {
  const { kpiCode, bucket, scope, logicalGuid = '', channelCode, dimensions, period } = search;
  const channel = channelCode === undefined ? Prisma.empty : Prisma.sql`and f.channel_code = ${channelCode}`;
  return Prisma.sql`
    select k.series, k.bucket_start from kpi_series f
    cross join lateral (
      select b.series, b.bucket_start from kpi_snapshot b
      where b.orgcode = ${orgcode} and b.series = f.series and ${within(period, after)}
      order by b.bucket_start limit ${limit}) k
    where f.orgcode = ${orgcode} and f.kpi_code = ${kpiCode} and f.bucket = ${bucket} and f.scope = ${scope}
      and f.logical_guid = ${logicalGuid} ${channel} and f.dimensions @> ${JSON.stringify(dimensions)}::jsonb
    order by k.bucket_start, k.series limit ${limit}`;
}

function within({ start, end }: Period, after: BucketKey | undefined): Prisma.Sql {
  const from = after && after.bucketStart > start ? after.bucketStart : start;
  const beyond = after
    ? Prisma.sql`and (b.bucket_start, b.series) > (${after.bucketStart}::timestamptz, ${after.series}::bigint)`
    : Prisma.empty;
  return Prisma.sql`b.bucket_start >= ${from}::timestamptz and b.bucket_start < ${end}::timestamptz ${beyond}`;
}

function jsonOf(rows: readonly object[]): string {
  return JSON.stringify(rows);
}

function rowOfBucket({ series, bucketStart }: BucketKey): object {
  return { series: String(series), bucket_start: bucketStart.toISOString() };
}

function rowOf(figure: SnapshotValues): object {
  return {
    ...rowOfBucket(figure),
    family: String(figure.family),
    bucket_end: figure.bucketEnd.toISOString(),
    kpi_id: figure.kpiId,
    value: figure.value,
    value_unit: figure.valueUnit,
    sample_count: figure.sampleCount,
    computed_at: figure.computedAt?.toISOString(),
    policy_refs: figure.policyRefs,
  };
}
