import { setTimeout as sleep } from 'node:timers/promises';
import { CpuMeter } from './cpu-meter.mjs';
import { createWebhook, LOOPBACK_ALLOWED, untilSettled } from './delivery-ground.mjs';
import { DurableStores } from './durable-stores.mjs';
import { EVENT_BYTES } from './events.mjs';
import { startIpm } from './ipm-server.mjs';
import { PostgresMeter } from './postgres-meter.mjs';
import { figuresOver, judgedAlone } from './report.mjs';
import { summaryOf, TimedDeliveries } from './timed-deliveries.mjs';

const APART_MS = 200;
const WARM_UP_CALLS = 50;
const A_CALL_UNDER_LOAD = 20;
const FLOOD_EVENTS = 20_000;
const FLOOD_A_CALL = 100;
const FLOOD_CALLERS = 8;

export async function measure({ runs = 3, seconds = 20, rate }, progress) {
  const stores = await DurableStores.start(progress);
  let timed;
  let meter;
  try {
    const ipm = await startIpm(stores, { environment: LOOPBACK_ALLOWED });
    meter = await PostgresMeter.on(ipm.databaseUrl);
    timed = await TimedDeliveries.with(ipm);
    await createWebhook(ipm, ipm.headers, { endpoint_url: timed.url });
    for (let i = 0; i < WARM_UP_CALLS; i += 1) await timed.one(ipm.headers);
    await flooded(timed, ipm, meter);
    const results = [];
    for (let run = 1; run <= runs; run += 1) {
      results.push(await roundOf(timed, ipm, meter, { seconds, rate }));
      const { idle, half } = results.at(-1);
      progress(
        `run ${run}: idle p50 ${idle.p50Ms.toFixed(1)} ms, p99 ${idle.p99Ms.toFixed(1)} ms; ` +
          `at ${half.sentPerSecond.toFixed(0)}/s p50 ${half.p50Ms.toFixed(1)} ms, p99 ${half.p99Ms.toFixed(1)} ms`,
      );
    }
    return { how: how({ seconds, rate }), ...judgedAlone(figuresOf(results), results) };
  } finally {
    await timed?.stop();
    await meter?.end();
    await stores.stop();
  }
}

async function roundOf(timed, ipm, meter, { seconds, rate }) {
  const cpu = new CpuMeter({ server: ipm.pid, postgres: ipm.postgresPid, redis: ipm.redisPid });
  const idle = await idleFor(timed, ipm, seconds);
  const most = rate ?? (await flooded(timed, ipm, meter));
  const half = await timed.atRate([ipm.headers], { rate: most / 2, seconds, size: A_CALL_UNDER_LOAD });
  await untilSettled(meter);
  const used = cpu.since();
  return { idle, half, most, otherCores: used.others / used.wall };
}

async function idleFor(timed, { headers }, seconds) {
  const lateness = [];
  for (let i = 0; i < (seconds * 1000) / APART_MS; i += 1) {
    await sleep(APART_MS);
    lateness.push(...(await timed.one(headers)));
  }
  return summaryOf(lateness);
}

/** Deliveries a second while events are published as fast as they are taken. */
async function flooded(timed, { headers }, meter) {
  const begunMs = performance.now();
  let left = FLOOD_EVENTS;
  const begun = [];
  const caller = async () => {
    while (left > 0) {
      left -= FLOOD_A_CALL;
      begun.push(await timed.begin(headers, FLOOD_A_CALL));
    }
  };
  await Promise.all(Array.from({ length: FLOOD_CALLERS }, caller));
  await timed.arrivals(begun);
  const perSecond = FLOOD_EVENTS / ((performance.now() - begunMs) / 1000);
  await untilSettled(meter);
  return perSecond;
}

function figuresOf(results) {
  const show = figuresOver(results);
  const tenth = { digits: 1 };
  return [
    show('idle, publish call to receiver, p50', 'ms', ({ idle }) => idle.p50Ms, { ...tenth, atMost: 10 }),
    show('  p99', 'ms', ({ idle }) => idle.p99Ms, { ...tenth, atMost: 50 }),
    show('  from the answer of the call, p50', 'ms', ({ idle }) => idle.fromAnswerP50Ms, tenth),
    show('  from the answer of the call, p99', 'ms', ({ idle }) => idle.fromAnswerP99Ms, tenth),
    show('half load, publish call to receiver, p50', 'ms', ({ half }) => half.p50Ms, tenth),
    show('  p95', 'ms', ({ half }) => half.p95Ms, tenth),
    show('  p99', 'ms', ({ half }) => half.p99Ms, tenth),
    show('  published and delivered', 'events/s', ({ half }) => half.sentPerSecond),
    show('all it can, published and delivered', 'events/s', ({ most }) => most),
    show('  cores busy: others', 'cores', ({ otherCores }) => otherCores, { digits: 2 }),
  ];
}

function how({ seconds, rate }) {
  const most = rate === undefined ? `measured before (${FLOOD_EVENTS} events, ${FLOOD_A_CALL} a call)` : '--rate';
  return [
    `one webhook; publisher and receiver are one process, so one clock; from before the call is sent to when the delivery is read; negative from the answer: it was there before; events of ${EVENT_BYTES} bytes, role all`,
    `idle: one event a call, ${APART_MS} ms after the last is there, for ${seconds} s; half load: ${A_CALL_UNDER_LOAD} events a call, whether earlier ones are there or not, for ${seconds} s, at half of what one process can publish and deliver at once: ${most}`,
    'every event arrives, and once, or the run does not count; Postgres with fsync and synchronous_commit on',
  ];
}
