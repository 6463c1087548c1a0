import path from 'node:path';
import { CpuMeter } from './cpu-meter.mjs';
import { openLoop } from './open-loop.mjs';
import { hottestFunctions } from './profile.mjs';
import { aligned, figuresOver, judgedAlone, median, never, notMeasured } from './report.mjs';
import { ROUTE_LOADS } from './route-loads.mjs';
import { routeTargets } from './route-targets.mjs';
import { RoutesGround } from './routes-ground.mjs';
import { openSeeded } from './seeded-store.mjs';

const EVENTS = 10_000_000;
/** A cold server at its full rate would be measured compiling itself. */
const WARM_UP = { seconds: 3, shareOfRate: 0.2 };

/** Every route of the contract as the design wants it, one after the other. */
export async function measure({ events = EVENTS, eventBytes, stores: kept = [], ...options }, progress) {
  const targets = wanted(knownTargets(), options.only);
  if (kept.length > 1) throw notMeasured('routes takes one --store');
  const { stores, layout } = await openSeeded({ store: kept[0], events, eventBytes }, progress);
  try {
    return await onStores(stores, layout, targets, options, progress);
  } finally {
    await stores.stop();
  }
}

/** A route that the contract has and nobody measures would go unnoticed, and so would one that it has no more. */
function knownTargets() {
  const targets = routeTargets();
  const inContract = targets.map(({ operation }) => operation);
  const known = Object.keys(ROUTE_LOADS);
  const strange = [
    ...inContract.filter((operation) => !known.includes(operation)),
    ...known.filter((operation) => !inContract.includes(operation)),
  ];
  if (strange.length === 0) return targets;
  throw notMeasured(`bench/route-loads.mjs and the contract do not have the same routes: ${strange.join(', ')}`);
}

function wanted(targets, only) {
  if (only === undefined) return targets;
  const chosen = targets.filter(({ operation }) => operation === only.replace(/^\//, ''));
  if (chosen.length === 0) throw notMeasured(`The contract has no route ${only}.`);
  return chosen;
}

async function onStores(stores, layout, targets, { runs = 3, seconds = 8, profile = false }, progress) {
  const profiles = path.join(stores.folder, 'profiles');
  const nodeArgs = profile ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];
  const ground = await RoutesGround.on(stores, layout, { nodeArgs }, progress);
  try {
    const routes = [];
    for (const target of targets) {
      routes.push(await routeOn(ground, target, { runs, seconds }));
      progress(inShort(routes.at(-1)));
    }
    if (profile) await ground.ipm.server.stop();
    const where = profile
      ? routes.filter(({ problem }) => !problem).flatMap((route) => hottestOf(route, profiles))
      : [];
    return reportOf(routes, ground, { seconds, where });
  } finally {
    await ground.end();
  }
}

async function routeOn(ground, { operation, method, rate, atMost }, { runs, seconds }) {
  const { prepare, next } = await ROUTE_LOADS[operation](ground, operation);
  const call = (i) => ({ operation, method, ...next(i) });
  const load = async (wanted) => {
    await prepare?.(Math.ceil(wanted.rate * wanted.seconds));
    await ground.untilIdle();
    return loaded(ground, { ...wanted, next: call });
  };
  const results = [];
  try {
    await load({ rate: rate * WARM_UP.shareOfRate, seconds: WARM_UP.seconds });
    while (results.length < runs) results.push(await load({ rate, seconds }));
    return { operation, rate, atMost, results };
  } catch (error) {
    if (error.name !== 'CallsFailed') throw error;
    return { operation, rate, atMost, results: [], failed: error.failed, problem: error.message };
  }
}

async function loaded({ ipm }, load) {
  const cpu = new CpuMeter({ server: ipm.pid, postgres: ipm.postgresPid, redis: ipm.redisPid });
  const from = process.hrtime.bigint();
  const times = await openLoop(ipm, load);
  const to = process.hrtime.bigint();
  const { server, postgres, bench, others, wall } = cpu.since();
  const cores = { server: server / wall, postgres: postgres / wall, bench: bench / wall };
  return { ...times, cores, otherCores: others / wall, span: { from, to } };
}

function hottestOf({ operation, results }, folder) {
  return ['', `Where the time goes: ${operation} (last run, self time, without idle)`].concat(
    hottestFunctions(folder, results.at(-1).span),
  );
}

function reportOf(routes, ground, { seconds, where }) {
  const [measured, broken] = [routes.filter((route) => !route.problem), routes.filter((route) => route.problem)];
  const { figures, notes } = judgedAlone(
    figuresOf(measured),
    measured.flatMap(({ results }) => results),
  );
  const failures = broken.map(({ operation, problem }) => `FAILED: ${operation}: ${problem}`);
  return {
    how: how(ground, seconds),
    figures: [...figures, ...broken.map(failureOf)],
    notes: ['', ...aligned([HEADINGS, ...measured.map(lineOf)]), ...notes, ...where, ...failures],
    routes: routes.map(({ results, ...route }) => ({ ...route, runs: results.map(withoutSpan) })),
  };
}

/** Whatever the machine did meanwhile: an answer that is not one is no slow answer. */
function failureOf({ operation, rate, failed }) {
  return never(`${operation} at ${rate}/s, answers other than 200`, 'calls', [failed]);
}

function withoutSpan({ span: _, ...result }) {
  return result;
}

function figuresOf(routes) {
  return routes.map(({ operation, rate, atMost, results }) =>
    figuresOver(results)(`${operation} at ${rate}/s, p95`, 'ms', ({ p95Ms }) => p95Ms, { atMost, digits: 1 }),
  );
}

const HEADINGS = [
  'medians',
  'calls/s',
  'p50',
  'p95',
  'p99 ms',
  'server',
  'Postgres',
  'load generator',
  'others (cores)',
];

function inShort(route) {
  return route.problem ? `${route.operation} FAILED: ${route.problem}` : lineOf(route).join('  ');
}

function lineOf({ operation, results }) {
  const middle = (pick, digits) => median(results.map(pick)).toFixed(digits);
  return [
    operation,
    middle(({ perSecond }) => perSecond, 0),
    middle(({ p50Ms }) => p50Ms, 1),
    middle(({ p95Ms }) => p95Ms, 1),
    middle(({ p99Ms }) => p99Ms, 1),
    middle(({ cores }) => cores.server, 2),
    middle(({ cores }) => cores.postgres, 2),
    middle(({ cores }) => cores.bench, 2),
    middle(({ otherCores }) => otherCores, 2),
  ];
}

function how({ layout, kpis, webhooks, endedJobs }, seconds) {
  return [
    `${layout.events} events of 101 organisations, half of them the measured one's; ${kpis.figures} KPI figures and ${endedJobs} ended jobs of it; ${webhooks} webhooks, 200 of them its own; role all, one process, limits lifted`,
    `each route by itself at 10 times its x-qps-target for ${seconds} s; target: a fifth of its x-latency-p95-ms, both from the contract`,
    'open loop: calls begin at their time whatever became of those before, and are timed from it; a route with any answer but 200 has failed; before each run the server is idle',
    'bodies in turn: first, deep and filtered pages, six kinds of KPI queries; what is written to is new each time; webhooks and bulk jobs are written by 100 organisations in turn, jobs run meanwhile (5 lines, 10 records); replays send 8 events to a sink on this machine',
    'Postgres with fsync and synchronous_commit on, load generator on the same machine',
  ];
}
