import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';
import { seriesIdentity, type SeriesKey } from './kpi-series.js';

/** Numbers of series by the hex of their identity. */
export type SeriesNumbers = ReadonlyMap<string, bigint>;

export function identityHex(key: SeriesKey): string {
  return seriesIdentity(key).toString('hex');
}

/** Series, which are also what recorders wait for: whoever writes figures of one holds its row to the commit. */
@Injectable()
export class KpiSeriesRepository {
  /** Those that there are, locked in one order, so that no two recorders of several wait for each other. */
  async lock(tx: Tx, orgcode: string, identities: readonly string[]): Promise<SeriesNumbers> {
    const rows = await tx.$queryRaw<{ identity: string; series: bigint }[]>`
      select encode(identity, 'hex') as identity, series from kpi_series
      where orgcode = ${orgcode}
        and identity = any(array(select decode(h, 'hex') from jsonb_array_elements_text(${JSON.stringify(identities)}::jsonb) h))
      order by kpi_series.identity for update`;
    return new Map(rows.map(({ identity, series }) => [identity, series]));
  }

  /** Held to the commit, as by who records it. */
  async hold(tx: Tx, orgcode: string, series: bigint): Promise<void> {
    await tx.$queryRaw`select 1 from kpi_series where orgcode = ${orgcode} and series = ${series} for update`;
  }

  /** How many series the KPI has at that place. */
  async count(tx: Tx, orgcode: string, key: SeriesKey): Promise<number> {
    const { kpiCode, bucket, scope, logicalGuid = '' } = key;
    return tx.kpiSeries.count({ where: { orgcode, kpiCode, bucket, scope, logicalGuid } });
  }

  /** What another recorder makes at the same moment is waited for, and left to it. */
  async insert(tx: Tx, orgcode: string, keys: readonly SeriesKey[]): Promise<void> {
    const rows = keys.map((key) => ({
      identity: identityHex(key),
      kpi_code: key.kpiCode,
      bucket: key.bucket,
      scope: key.scope,
      logical_guid: key.logicalGuid ?? '',
      channel_code: key.channelCode ?? '',
      dimensions: key.dimensions,
    }));
    await tx.$executeRaw`
      insert into kpi_series (orgcode, identity, kpi_code, bucket, scope, logical_guid, channel_code, dimensions)
      select ${orgcode}, decode(identity, 'hex'), kpi_code, bucket, scope, logical_guid, channel_code, dimensions
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(identity text, kpi_code text, bucket text, scope text,
        logical_guid text, channel_code text, dimensions jsonb)
      order by identity
      on conflict (orgcode, identity) do nothing`;
  }
}
