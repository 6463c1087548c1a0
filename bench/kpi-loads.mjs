import { writeGrounds } from './ipm-server.mjs';
import { BEGIN, facility } from './kpi-ground.mjs';

const HOUR_MS = 3_600_000;

/** What is asked in turn, each time of another place and time. */
export function kpiQueries({ hours, days }) {
  const range = { from_utc: BEGIN, to_utc: hour(hours) };
  const sales = { kpi_code: 'sales', bucket: 'hourly', logical_guid: facility(7) };
  return [
    { name: 'a facility, first page', body: { ...sales, ...range } },
    { name: 'a facility, 256 figures', body: { ...sales, ...range, limit: 256 } },
    { name: 'one department', body: { ...sales, ...range, dimensions: { department: 'd3' }, limit: 24 } },
    {
      name: 'a day in the middle',
      body: { ...sales, from_utc: hour(hours / 2), to_utc: hour(hours / 2 + 24), limit: 256 },
    },
    {
      name: '1,000 articles, first page',
      body: { kpi_code: 'stock', bucket: 'daily', from_utc: BEGIN, to_utc: hour(days * 24) },
    },
    {
      name: 'one article of 1,000',
      body: {
        kpi_code: 'stock',
        bucket: 'daily',
        dimensions: { article: 'a77' },
        from_utc: BEGIN,
        to_utc: hour(days * 24),
        limit: 100,
      },
    },
  ];
}

/** The body of the i-th call by operation; figures and alerts are of ever new buckets. */
export function kpiBodies(queries) {
  const spread = ({ body }, i) => ('logical_guid' in body ? { ...body, logical_guid: facility(i * 7) } : body);
  let written = 0;
  const figure = () => ({
    kpi_code: 'written',
    bucket: 'hourly',
    logical_guid: facility(written),
    bucket_start: hour((written += 1)),
    bucket_end: hour(written + 1),
    value: written,
  });
  return {
    'kpi/query': (i) => spread(queries[i % queries.length], i),
    'kpi/record': () => ({ ...writeGrounds(), kpi: figure() }),
    'kpi/alert': () => ({
      ...writeGrounds(),
      alert: { ...figure(), threshold: { comparator: 'gte', value: 0 } },
    }),
  };
}

function hour(n) {
  return new Date(Date.parse(BEGIN) + Math.floor(n) * HOUR_MS).toISOString();
}
