import pg from 'pg';
import { familyOf, seriesIdentity } from '../dist/kpi/kpi-series.js';
import { ORGCODE } from './ipm-server.mjs';

const FACILITIES = 50;
const DEPARTMENTS = 10;
const ARTICLES = 1_000;
const DAYS = 100;
/** The first hour of all series. */
export const BEGIN = '2024-01-01T00:00:00Z';
export const ARTICLE_SERIES = ARTICLES;

/**
 * Figures by the hour of 10 departments in each of 50 facilities, and by the day of 1,000 articles of the organisation, written
 * straight into the tables that the product reads, unless they are there.
 */
export async function fillKpis(connectionString, rows) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const hours = Math.max(1, Math.round((rows - ARTICLES * DAYS) / (FACILITIES * DEPARTMENTS)));
    const { rows: present } = await client.query(`select from kpi_series where kpi_code = 'stock' limit 1`);
    if (present.length === 0) await fill(client, hours);
    const { rows: counted } = await client.query('select count(*)::int as figures from kpi_snapshot');
    return { figures: counted[0].figures, hours, days: DAYS };
  } finally {
    await client.end();
  }
}

/** In one transaction: what is there is whole. */
async function fill(client, hours) {
  await client.query('begin');
  for (const [keys, count, step] of [
    [departments(), hours, '1 hour'],
    [articles(), DAYS, '1 day'],
  ]) {
    await insertSeries(client, keys);
    await insertFigures(client, keys, count, step);
  }
  await client.query('commit');
  await client.query('vacuum (analyze) kpi_series, kpi_snapshot');
}

function departments() {
  return Array.from({ length: FACILITIES * DEPARTMENTS }, (_, i) => ({
    kpiCode: 'sales',
    bucket: 'hourly',
    scope: 'facility',
    logicalGuid: facility(i),
    channelCode: undefined,
    dimensions: { department: `d${Math.floor(i / FACILITIES)}`, floor: i % 3 },
  }));
}

function articles() {
  return Array.from({ length: ARTICLES }, (_, i) => ({
    kpiCode: 'stock',
    bucket: 'daily',
    scope: 'org',
    logicalGuid: undefined,
    channelCode: undefined,
    dimensions: { article: `a${i}` },
  }));
}

export function facility(i) {
  return `store-${i % FACILITIES}`;
}

async function insertSeries(client, keys) {
  const rows = keys.map((key) => ({ ...key, identity: seriesIdentity(key).toString('hex') }));
  await client.query(
    `insert into kpi_series (orgcode, identity, kpi_code, bucket, scope, logical_guid, channel_code, dimensions)
     select $1, decode(identity, 'hex'), "kpiCode", bucket, scope, coalesce("logicalGuid", ''), '', dimensions
     from jsonb_to_recordset($2::jsonb) as r(identity text, "kpiCode" text, bucket text, scope text, "logicalGuid" text, dimensions jsonb)`,
    [ORGCODE, JSON.stringify(rows)],
  );
}

/** In the order of time, as figures come, so that neighbours of a series are not neighbours on the disk. */
async function insertFigures(client, keys, count, step) {
  const families = new Map(keys.map((key) => [key.logicalGuid ?? '', String(familyOf(key))]));
  await client.query(
    `insert into kpi_snapshot (orgcode, series, family, bucket_start, bucket_end, kpi_id, value, value_unit, sample_count)
     select $1, s.series, f.value::bigint, $4::timestamptz + n * $3::interval, $4::timestamptz + (n + 1) * $3::interval,
       'kpi-' || s.series || '-' || n, random() * 1000, 'EUR', 10
     from generate_series(0, $5::int - 1) n cross join kpi_series s join jsonb_each_text($6::jsonb) f on f.key = s.logical_guid
     where s.orgcode = $1 and s.kpi_code = $2`,
    [ORGCODE, keys[0].kpiCode, step, BEGIN, count, JSON.stringify(Object.fromEntries(families))],
  );
}
