import { DurableStores } from './durable-stores.mjs';
import { EVENT_BYTES } from './events.mjs';
import { organisations, startIpm } from './ipm-server.mjs';
import { PostgresMeter } from './postgres-meter.mjs';
import { profiled } from './profile.mjs';
import { publishing, rawLoad } from './raw-load.mjs';
import { figuresOver, judgedAlone, usageFigures } from './report.mjs';
import { OTHER_ORGCODES } from './seed-layout.mjs';
import { openSeeded } from './seeded-store.mjs';

const WARM_UP_SECONDS = 5;
const ORGANISATIONS = 50;
const CASES = [
  { name: 'one organisation', atLeast: 6000, targetsOf: async ({ headers }) => [headers] },
  {
    name: `${ORGANISATIONS} organisations`,
    atLeast: 2500,
    targetsOf: (ipm) => organisations(ipm, OTHER_ORGCODES.slice(0, ORGANISATIONS)),
  },
];

export async function measure({ runs = 5, seconds = 8, connections = 64, stores: [store] = [], profile }, progress) {
  const stores = store ? (await openSeeded({ store }, progress)).stores : await DurableStores.start(progress);
  try {
    const ipm = await startIpm(stores);
    const cases = [];
    for (const one of CASES) cases.push({ ...one, targets: await one.targetsOf(ipm), results: [] });
    const run = (server, targets, length = seconds) =>
      rawLoad(server, { ...publishing(1), targets, connections, seconds: length });
    for (const { targets } of cases) await run(ipm, targets, WARM_UP_SECONDS);
    await rounds({ runs, run, ipm, cases }, progress);
    const { figures, notes } = judgedAlone(
      cases.flatMap(figuresOf),
      cases.flatMap(({ results }) => results),
    );
    const profileLines = profile ? await profiles(stores, run, progress) : [];
    return { how: how({ seconds, connections, store }), figures, notes: [...notes, ...profileLines] };
  } finally {
    await stores.stop();
  }
}

async function rounds({ runs, run, ipm, cases }, progress) {
  const meter = await PostgresMeter.on(ipm.databaseUrl);
  for (let i = 1; i <= runs; i += 1) {
    for (const { name, targets, results } of cases) {
      await meter.since();
      const result = await run(ipm, targets);
      results.push({ ...result, ...(await meter.since()) });
      progress(`run ${i}: ${name} ${result.perSecond.toFixed(0)}/s, p99 ${result.p99Ms.toFixed(1)} ms`);
    }
  }
  await meter.end();
}

async function profiles(stores, run, progress) {
  const lines = [];
  for (const { name, targetsOf } of CASES) {
    let targets;
    const once = async (ipm, length) => run(ipm, (targets ??= await targetsOf(ipm)), length);
    lines.push(...(await profiled(stores, `single events in ${name}`, once, progress)));
  }
  return lines;
}

function figuresOf({ name, atLeast, results }) {
  const show = figuresOver(results);
  return [
    show(`${name}, durable`, 'events/s', ({ perSecond }) => perSecond, { atLeast }),
    show('  a call, p50', 'ms', ({ p50Ms }) => p50Ms, { digits: 1 }),
    show('  a call, p99', 'ms', ({ p99Ms }) => p99Ms, { digits: 1 }),
    show('  CPU of the server', 'us/call', ({ serverCores, perSecond }) => (serverCores / perSecond) * 1e6, {
      digits: 1,
    }),
    show('  CPU of Postgres', 'us/call', ({ postgresCores, perSecond }) => (postgresCores / perSecond) * 1e6, {
      digits: 1,
    }),
    show('  events a commit', 'events', ({ calls, transactions }) => calls / transactions, { digits: 1 }),
    show('  write-ahead log', 'bytes/event', ({ calls, walBytes }) => walBytes / calls),
    ...usageFigures(results),
  ];
}

function how({ seconds, connections, store }) {
  return [
    `event/publish over HTTP, one event of ${EVENT_BYTES} bytes a call (six types of the catalog, checked and redacted), ${connections} connections, ${seconds} s a run, role all${store ? `, on the store in ${store}` : ''}`,
    `alternately in one organisation and in ${ORGANISATIONS}, chosen at random call by call; every answer says that the event was accepted`,
    'Postgres with fsync and synchronous_commit on',
  ];
}
