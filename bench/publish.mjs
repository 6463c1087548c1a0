import path from 'node:path';
import { freePort } from '../dist/local/free-port.js';
import { CopyBaseline } from './copy-baseline.mjs';
import { DurableStores } from './durable-stores.mjs';
import { EVENT_BYTES } from './events.mjs';
import { answersOk, startIpm } from './ipm-server.mjs';
import { PostgresMeter } from './postgres-meter.mjs';
import { profiled } from './profile.mjs';
import { publishing, rawLoad } from './raw-load.mjs';
import { figuresOver, judgedAlone, usageFigures } from './report.mjs';
import { openSeeded } from './seeded-store.mjs';

const EVENTS_A_CALL = 100;
const WARM_UP_SECONDS = 5;
const bareProgram = path.join(import.meta.dirname, 'bare-fastify/server.mjs');

export async function measure({ runs = 5, seconds = 8, connections = 8, stores: [store] = [], profile }, progress) {
  const stores = store ? (await openSeeded({ store }, progress)).stores : await DurableStores.start(progress);
  try {
    const ipm = await startIpm(stores);
    const bare = await startBare(stores, ipm);
    const run = (target, length = seconds) =>
      rawLoad(target, { ...publishing(EVENTS_A_CALL), targets: [target.headers], connections, seconds: length });
    for (const target of [bare, ipm]) await run(target, WARM_UP_SECONDS);
    const copy = await CopyBaseline.prepare(stores, ipm.databaseUrl);
    const rounds = await compared({ runs, seconds, run, ipm, bare, copy }, progress);
    await copy.end();
    const { figures, notes } = judgedAlone(
      figuresOf(rounds),
      rounds.map((round) => round.ipm),
    );
    const profileLines = profile ? await profiled(stores, `publishing ${EVENTS_A_CALL} a call`, run, progress) : [];
    return { how: how({ seconds, connections, store }), figures, notes: [...notes, ...profileLines] };
  } finally {
    await stores.stop();
  }
}

async function startBare(stores, { headers }) {
  const port = await freePort();
  const server = stores.launch('bare-fastify', [bareProgram], { NODE_ENV: 'production', PORT: String(port) });
  await server.waitUntil(() => answersOk(`http://127.0.0.1:${port}/health/ready`), 30_000);
  return { pid: server.pid, port, headers };
}

async function compared({ runs, seconds, run, ipm, bare, copy }, progress) {
  const meter = await PostgresMeter.on(ipm.databaseUrl);
  const rounds = [];
  for (let i = 1; i <= runs; i += 1) {
    const ofBare = await run(bare);
    await meter.since();
    const ofIpm = await run(ipm);
    const written = await meter.since();
    const copied = await copy.run(seconds);
    rounds.push({ bare: ofBare, ipm: ofIpm, written, copied });
    progress(`round ${i}: ${inRound(rounds.at(-1))}`);
  }
  await meter.end();
  return rounds;
}

function inRound({ ipm, bare, copied }) {
  const [ofIpm, ofBare] = [eventsPerSecond(ipm), eventsPerSecond(bare)];
  const ratios = `${(ofIpm / copied).toFixed(3)} of COPY, ${(ofIpm / ofBare).toFixed(3)} of bare`;
  return `IPM ${ofIpm.toFixed(0)}, bare ${ofBare.toFixed(0)}, COPY ${copied.toFixed(0)} events/s: ${ratios}`;
}

function eventsPerSecond({ perSecond }) {
  return perSecond * EVENTS_A_CALL;
}

function figuresOf(rounds) {
  const over = figuresOver(rounds);
  const ofIpm = rounds.map(({ ipm, written }) => ({ ...ipm, ...written, events: ipm.calls * EVENTS_A_CALL }));
  const show = figuresOver(ofIpm);
  const micros = { digits: 1 };
  return [
    over('IPM / COPY', 'ratio', ({ ipm, copied }) => eventsPerSecond(ipm) / copied, { atLeast: 0.25, digits: 3 }),
    over('IPM / bare Fastify', 'ratio', ({ ipm, bare }) => ipm.perSecond / bare.perSecond, { atLeast: 0.7, digits: 3 }),
    show('IPM, durable', 'events/s', eventsPerSecond),
    show('  a call, p50', 'ms', ({ p50Ms }) => p50Ms, { digits: 1 }),
    show('  a call, p99', 'ms', ({ p99Ms }) => p99Ms, { digits: 1 }),
    show('  CPU of the server', 'us/event', (ipm) => (ipm.serverCores / eventsPerSecond(ipm)) * 1e6, micros),
    show('  CPU of Postgres', 'us/event', (ipm) => (ipm.postgresCores / eventsPerSecond(ipm)) * 1e6, micros),
    show('  events a commit', 'events', ({ events, transactions }) => events / transactions),
    show('  write-ahead log', 'bytes/event', ({ events, walBytes }) => walBytes / events),
    ...usageFigures(ofIpm),
    over('bare Fastify, body parsed', 'events/s', ({ bare }) => eventsPerSecond(bare)),
    over('COPY into log and ledger', 'events/s', ({ copied }) => copied),
  ];
}

function how({ seconds, connections, store }) {
  return [
    `event/publish over HTTP, ${EVENTS_A_CALL} events of ${EVENT_BYTES} bytes a call (six types of the catalog, checked and redacted), one organisation, ${connections} connections, ${seconds} s a run, role all${store ? `, on the store in ${store}` : ''}`,
    'bare, IPM and COPY run alternately; ratios are taken round by round; every answer says that all events were accepted',
    'COPY: text, from files of the server, 100,000 of the rows that IPM has stored in a transaction, into tables like a partition and the ledger with all indexes, emptied in between',
    'bare: Fastify with its own JSON parser and nothing else; Postgres with fsync and synchronous_commit on',
  ];
}
