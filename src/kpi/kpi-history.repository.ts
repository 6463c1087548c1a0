import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import type { Bucket, Period } from './bucket-time.js';
import type { Dimensions, Scope } from './kpi-series.js';

/** A series as its row has it. */
export interface SeriesRow {
  series: bigint;
  kpiCode: string;
  bucket: Bucket;
  scope: Scope;
  logicalGuid: string;
  channelCode: string;
  dimensions: Dimensions;
}

export interface HistoryFigure {
  bucketStart: Date;
  bucketEnd: Date;
  value: number;
  valueUnit: string | null;
  sampleCount: number | null;
}

/** Series of one KPI; null is any. */
export interface SeriesSearch {
  kpiCode: string;
  bucket: string;
  scope: string | null;
  logicalGuid: string | null;
  channelCode: string | null;
  dimensions: unknown;
}

const SERIES = Prisma.sql`f.series, f.kpi_code as "kpiCode", f.bucket, f.scope, f.logical_guid as "logicalGuid",
  f.channel_code as "channelCode", f.dimensions`;
const FIGURE = Prisma.sql`s.bucket_start as "bucketStart", s.bucket_end as "bucketEnd", s.value, s.value_unit as "valueUnit",
  s.sample_count as "sampleCount"`;

/** Series and what is recorded of them, for who works through them. */
@Injectable()
export class KpiHistoryRepository {
  constructor(private readonly database: Database) {}

  /** In the order of their numbers. */
  series(orgcode: string, search: SeriesSearch, after: bigint, limit: number): Promise<SeriesRow[]> {
    return this.database.rows(
      orgcode,
      Prisma.sql`select ${SERIES} from kpi_series f where ${matching(orgcode, search)} and f.series > ${after} order by f.series limit ${limit}`,
    );
  }

  /** Buckets that start in the period, in order. */
  figures(orgcode: string, series: bigint, { start, end }: Period): Promise<HistoryFigure[]> {
    return this.database.rows(
      orgcode,
      Prisma.sql`
        select ${FIGURE} from kpi_snapshot s where s.orgcode = ${orgcode} and s.series = ${series}
          and s.bucket_start >= ${start}::timestamptz and s.bucket_start < ${end}::timestamptz order by s.bucket_start`,
    );
  }

  /** The first bucket from a time on. */
  async firstFrom(orgcode: string, series: bigint, { start, end }: Period): Promise<Date | undefined> {
    const [row] = await this.database.rows<{ bucketStart: Date }>(
      orgcode,
      Prisma.sql`
        select s.bucket_start as "bucketStart" from kpi_snapshot s where s.orgcode = ${orgcode} and s.series = ${series}
          and s.bucket_start >= ${start}::timestamptz and s.bucket_start < ${end}::timestamptz order by s.bucket_start limit 1`,
    );
    return row?.bucketStart;
  }

  /** The last bucket of each series, unless the rule has said already that the one after it is missing. */
  lastOfEach(
    orgcode: string,
    rule: SeriesSearch & { ruleNo: bigint },
    after: bigint,
    limit: number,
  ): Promise<(SeriesRow & HistoryFigure)[]> {
    return this.database.rows(
      orgcode,
      Prisma.sql`
        select ${SERIES}, ${FIGURE} from kpi_series f
        cross join lateral (
          select * from kpi_snapshot l where l.orgcode = ${orgcode} and l.series = f.series order by l.bucket_start desc limit 1) s
        where ${matching(orgcode, rule)} and f.series > ${after}
          and not exists (select from kpi_alert a where a.orgcode = ${orgcode} and a.rule_no = ${rule.ruleNo} and a.series = f.series
            and a.bucket_start = s.bucket_end)
        order by f.series limit ${limit}`,
    );
  }

  /** The last bucket, read by who holds the series. */
  async last(tx: Tx, orgcode: string, series: bigint): Promise<HistoryFigure | undefined> {
    const [row] = await tx.$queryRaw<HistoryFigure[]>`
      select ${FIGURE} from kpi_snapshot s where s.orgcode = ${orgcode} and s.series = ${series} order by s.bucket_start desc limit 1`;
    return row;
  }
}

function matching(
  orgcode: string,
  { kpiCode, bucket, scope, logicalGuid, channelCode, dimensions }: SeriesSearch,
): Prisma.Sql {
  const exactly = (column: Prisma.Sql, value: string | null): Prisma.Sql =>
    value === null ? Prisma.empty : Prisma.sql`and ${column} = ${value}`;
  return Prisma.sql`f.orgcode = ${orgcode} and f.kpi_code = ${kpiCode} and f.bucket = ${bucket}
    ${exactly(Prisma.sql`f.scope`, scope)} ${exactly(Prisma.sql`f.logical_guid`, logicalGuid)}
    ${exactly(Prisma.sql`f.channel_code`, channelCode)} and f.dimensions @> ${JSON.stringify(dimensions)}::jsonb`;
}
