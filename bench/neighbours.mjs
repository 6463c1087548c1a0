import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../dist/local/free-port.js';
import { CpuMeter } from './cpu-meter.mjs';
import { createWebhook, LOOPBACK_ALLOWED } from './delivery-ground.mjs';
import { DurableStores } from './durable-stores.mjs';
import { EventPublisher } from './event-publisher.mjs';
import { organisations, startIpm } from './ipm-server.mjs';
import { PostgresMeter } from './postgres-meter.mjs';
import { figuresOver, judgedAlone } from './report.mjs';
import { TimedDeliveries } from './timed-deliveries.mjs';

const HEALTHY = 20;
const TIMEOUT_MS = 2_000;
const WARM_UP_SECONDS = 20;
const PUBLISHED_A_CALL = 100;
const ALL_WAITING_WITHIN_MS = 180_000;
const KINDS = [
  { name: 'never answers', endpoint: silentEndpoint },
  { name: 'refuses connections', endpoint: refusingEndpoint },
];

export async function measure({ runs = 3, seconds = 20, rate = 200, waiting = 200_000 }, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const kinds = KINDS.map((kind) => ({ ...kind, results: [] }));
    for (let run = 1; run <= runs; run += 1)
      for (const kind of kinds) {
        const database = `neighbours_${run}_${kinds.indexOf(kind)}`;
        kind.results.push(await roundOf(stores, { database, kind, seconds, rate, waiting }));
        const { before, beside, waitingAfter } = kind.results.at(-1);
        const p95 = `p95 ${before.p95Ms.toFixed(1)} ms before, ${beside.p95Ms.toFixed(1)} ms beside`;
        progress(`run ${run}: ${kind.name}: ${p95}, ${waitingAfter} still wait`);
      }
    const results = kinds.flatMap((kind) => kind.results);
    return {
      how: how({ seconds, rate, waiting }),
      ...judgedAlone(kinds.flatMap(figuresOf), results),
    };
  } finally {
    await stores.stop();
  }
}

async function roundOf(stores, { database, kind, seconds, rate, waiting }) {
  const ipm = await startIpm(stores, { database, name: database, environment: LOOPBACK_ALLOWED });
  const timed = await TimedDeliveries.with(ipm);
  const flooding = new EventPublisher(ipm);
  const endpoint = await kind.endpoint();
  const meter = await PostgresMeter.on(ipm.databaseUrl);
  try {
    const orgcodes = Array.from({ length: HEALTHY }, (_, i) => `healthy-${i}`);
    const [dead, ...healthy] = await organisations(ipm, ['dead', ...orgcodes], 'integration_admin');
    for (const headers of healthy) await createWebhook(ipm, headers, { endpoint_url: timed.url });
    await createWebhook(ipm, dead, { endpoint_url: endpoint.url, timeout_ms: TIMEOUT_MS });
    const cpu = new CpuMeter({ server: ipm.pid, postgres: ipm.postgresPid, redis: ipm.redisPid });
    await timed.atRate(healthy, { rate, seconds: WARM_UP_SECONDS });
    await meter.tidyUp();
    const before = await timed.atRate(healthy, { rate, seconds });
    const published = flooding.publish([dead], waiting, PUBLISHED_A_CALL);
    const meanwhile = await timed.atRate(healthy, { rate, seconds });
    await published;
    await allWaiting(meter, waiting);
    await meter.tidyUp();
    const beside = await timed.atRate(healthy, { rate, seconds });
    const used = cpu.since();
    const waitingAfter = await waitingIn(meter);
    if (waitingAfter < waiting)
      throw new Error(`only ${waitingAfter} of ${waiting} deliveries still waited at the end`);
    return { before, meanwhile, beside, waitingAfter, otherCores: used.others / used.wall };
  } finally {
    await endpoint.close();
    await meter.end();
    await timed.stop();
    await flooding.end();
    await ipm.server.stop();
  }
}

async function allWaiting(meter, waiting) {
  const deadlineMs = performance.now() + ALL_WAITING_WITHIN_MS;
  while ((await waitingIn(meter)) < waiting) {
    if (performance.now() > deadlineMs) throw new Error(`${waiting} deliveries did not come to wait in time`);
    await sleep(500);
  }
}

async function waitingIn(meter) {
  const { waiting } = await meter.ask(
    `select count(*)::float8 as waiting from delivery where orgcode = 'dead' and status in ('scheduled', 'sending')`,
  );
  return waiting;
}

/** Takes connections and what is sent, and says nothing. */
async function silentEndpoint() {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).resume());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/w/0`, close };
}

/** A port on which nobody listens. */
async function refusingEndpoint() {
  return { url: `http://127.0.0.1:${await freePort()}/w/0`, close: () => undefined };
}

function figuresOf({ name, results }) {
  const show = figuresOver(results);
  const tenth = { digits: 1 };
  return [
    show(`dead one ${name}: p95 beside it / before`, 'ratio', ({ before, beside }) => beside.p95Ms / before.p95Ms, {
      atMost: 1.5,
      digits: 2,
    }),
    ...['before', 'meanwhile', 'beside'].flatMap((phase) => [
      show(`  ${PHASES[phase]}: p50`, 'ms', (result) => result[phase].p50Ms, tenth),
      show(`  ${PHASES[phase]}: p95`, 'ms', (result) => result[phase].p95Ms, tenth),
      show(`  ${PHASES[phase]}: p99`, 'ms', (result) => result[phase].p99Ms, tenth),
      show(
        `  ${PHASES[phase]}: from the answer of the call, p95`,
        'ms',
        (result) => result[phase].fromAnswerP95Ms,
        tenth,
      ),
    ]),
    show('  for the dead one, at the end', 'deliveries', ({ waitingAfter }) => waitingAfter),
    show('  cores busy: others', 'cores', ({ otherCores }) => otherCores, { digits: 2 }),
  ];
}

const PHASES = {
  before: 'without it',
  meanwhile: 'while its events are published',
  beside: 'beside what waits for it',
};

function how({ seconds, rate, waiting }) {
  return [
    `${HEALTHY} organisations with a webhook each get ${rate} events a second together, one a call; publisher and receiver are one process; from before the call is sent to when the delivery is read; ${seconds} s a phase`,
    `then another organisation publishes ${waiting} events, ${PUBLISHED_A_CALL} a call as fast as they are taken, for a webhook whose endpoint is dead (timeout_ms ${TIMEOUT_MS}, never paused); "beside" begins when all of them are routed, and all of them still wait at its end`,
    'a checkpoint and a vacuum come before each phase but "meanwhile", because Postgres would otherwise do what the events left to it at some time of its own, in one phase or the other',
    'every run has a server and a database of its own, role all; every event of the healthy arrives, and once, or the run does not count; Postgres with fsync and synchronous_commit on',
  ];
}
