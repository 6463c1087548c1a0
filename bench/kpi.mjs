import { CpuMeter } from './cpu-meter.mjs';
import { DurableStores } from './durable-stores.mjs';
import { startIpm, writeGrounds } from './ipm-server.mjs';
import { ARTICLE_SERIES, BEGIN, facility, fillKpis } from './kpi-ground.mjs';
import { kpiPlans } from './kpi-plans.mjs';
import { openLoop } from './open-loop.mjs';
import { figuresOver, judgedAlone } from './report.mjs';

const FIGURES = 1_000_000;
const WARM_UP_SECONDS = 3;
const HOUR_MS = 3_600_000;
/** Ten times what the contract promises a second, and a fifth of its p95. */
const QUERY = { rate: 250, atMost: 240 };
const WRITE = { rate: 100, atMost: 300 };

export async function measure({ runs = 3, seconds = 8, events = FIGURES, explain = false }, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const ipm = await startIpm(stores);
    progress(`${events} figures …`);
    const ground = await fillKpis(ipm.databaseUrl, events);
    const queries = queriesOver(ground);
    const loads = loadsOver(queries);
    for (const { rate, next } of loads) await openLoop(ipm, { rate, seconds: WARM_UP_SECONDS, next });
    const results = [];
    for (let run = 1; run <= runs; run += 1) {
      results.push(await roundOf(ipm, loads, seconds));
      progress(
        `run ${run}: ${loads.map(({ name }) => `${name} p95 ${results.at(-1)[name].p95Ms.toFixed(1)} ms`).join(', ')}`,
      );
    }
    const { figures, notes } = judgedAlone(figuresOf(results, loads), results);
    const plans = explain ? await kpiPlans(ipm, queries) : [];
    return { how: how(ground, seconds), figures, notes: [...notes, ...plans] };
  } finally {
    await stores.stop();
  }
}

async function roundOf(ipm, loads, seconds) {
  const cpu = new CpuMeter({ server: ipm.pid, postgres: ipm.postgresPid, redis: ipm.redisPid });
  const result = { otherCores: 0 };
  for (const { name, rate, next } of loads) {
    cpu.since();
    const times = await openLoop(ipm, { rate, seconds, next });
    const { server, postgres, bench, others, wall } = cpu.since();
    result[name] = { ...times, server: server / wall, postgres: postgres / wall, bench: bench / wall };
    result.otherCores = Math.max(result.otherCores, others / wall);
  }
  return result;
}

/** What is asked in turn, each time of another place and time. */
function queriesOver({ hours, days }) {
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

function loadsOver(queries) {
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
  return [
    {
      name: 'query',
      ...QUERY,
      next: (i) => ({ operation: 'kpi/query', body: spread(queries[i % queries.length], i) }),
    },
    { name: 'record', ...WRITE, next: () => ({ operation: 'kpi/record', body: { ...writeGrounds(), kpi: figure() } }) },
    {
      name: 'alert',
      ...WRITE,
      next: () => ({
        operation: 'kpi/alert',
        body: { ...writeGrounds(), alert: { ...figure(), threshold: { comparator: 'gte', value: 0 } } },
      }),
    },
  ];
}

function hour(n) {
  return new Date(Date.parse(BEGIN) + Math.floor(n) * HOUR_MS).toISOString();
}

function figuresOf(results, loads) {
  const show = figuresOver(results);
  const tenth = { digits: 1 };
  const hundredth = { digits: 2 };
  return [
    ...loads.flatMap(({ name, rate, atMost }) => [
      show(`kpi/${name} at ${rate}/s, p95`, 'ms', (result) => result[name].p95Ms, { ...tenth, atMost }),
      show('  p50', 'ms', (result) => result[name].p50Ms, tenth),
      show('  p99', 'ms', (result) => result[name].p99Ms, tenth),
      show('  cores busy: server', 'cores', (result) => result[name].server, hundredth),
      show('  cores busy: Postgres', 'cores', (result) => result[name].postgres, hundredth),
      show('  cores busy: load generator', 'cores', (result) => result[name].bench, hundredth),
    ]),
    show('cores busy: others, at most', 'cores', ({ otherCores }) => otherCores, hundredth),
  ];
}

function how({ figures, hours, days }, seconds) {
  return [
    `${figures} figures: ${hours} hours of 10 departments in each of 50 facilities, ${days} days of ${ARTICLE_SERIES} articles; one organisation; role all`,
    `open loop for ${seconds} s: calls begin at their time whatever became of those before, and are timed from it; queries of six kinds in turn; figures and alerts of ever new buckets`,
    'Postgres with fsync and synchronous_commit on, load generator on the same machine',
  ];
}
