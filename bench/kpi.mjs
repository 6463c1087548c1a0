import { CpuMeter } from './cpu-meter.mjs';
import { DurableStores } from './durable-stores.mjs';
import { startIpm } from './ipm-server.mjs';
import { ARTICLE_SERIES, fillKpis } from './kpi-ground.mjs';
import { kpiBodies, kpiQueries } from './kpi-loads.mjs';
import { kpiPlans } from './kpi-plans.mjs';
import { openLoop } from './open-loop.mjs';
import { figuresOver, judgedAlone } from './report.mjs';
import { routeTargets } from './route-targets.mjs';

const FIGURES = 1_000_000;
const WARM_UP_SECONDS = 3;

export async function measure({ runs = 3, seconds = 8, events = FIGURES, explain = false }, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const ipm = await startIpm(stores);
    progress(`${events} figures …`);
    const ground = await fillKpis(ipm.databaseUrl, events);
    const queries = kpiQueries(ground);
    const loads = loadsOf(kpiBodies(queries));
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

function loadsOf(bodies) {
  return routeTargets()
    .filter(({ operation }) => operation in bodies)
    .map(({ operation, rate, atMost }) => ({
      name: operation,
      ...{ rate, atMost },
      next: (i) => ({ operation, body: bodies[operation](i) }),
    }));
}

function figuresOf(results, loads) {
  const show = figuresOver(results);
  const tenth = { digits: 1 };
  const hundredth = { digits: 2 };
  return [
    ...loads.flatMap(({ name, rate, atMost }) => [
      show(`${name} at ${rate}/s, p95`, 'ms', (result) => result[name].p95Ms, { ...tenth, atMost }),
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
