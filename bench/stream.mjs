import path from 'node:path';
import { DurableStores } from './durable-stores.mjs';
import { EVENT_BYTES } from './events.mjs';
import { startIpm } from './ipm-server.mjs';
import { residentMegabytes } from './machine.mjs';
import { underLoad } from './raw-load.mjs';
import { figure, figuresOver, never, usageFigures } from './report.mjs';

const readersProgram = path.join(import.meta.dirname, 'stream-readers.mjs');
const MEMORY_EVERY_MS = 250;

export async function measure({ runs = 3, seconds = 10, readers = 500, rate = 200 }, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const ipm = await startIpm(stores);
    const idleMb = residentMegabytes(ipm.pid);
    const { port, headers } = ipm;
    const run = (length) =>
      underLoad(ipm, readersProgram, { port, headers, readers, rate, seconds: length, eventBytes: EVENT_BYTES });
    await run(2);
    const results = [];
    for (let i = 1; i <= runs; i += 1) {
      results.push(await withMemory(ipm.pid, () => run(seconds)));
      const { deliveredPerSecond, p50Ms, p99Ms, missing } = results.at(-1);
      progress(
        `run ${i}: ${deliveredPerSecond.toFixed(0)} events/s delivered, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${missing} lost`,
      );
    }
    return {
      how: how({ seconds, readers, rate }),
      figures: [...figuresOf(results), figure('server resident, before', 'MB', [idleMb])],
    };
  } finally {
    await stores.stop();
  }
}

async function withMemory(pid, work) {
  let mostMb = 0;
  const look = setInterval(() => (mostMb = Math.max(mostMb, residentMegabytes(pid))), MEMORY_EVERY_MS);
  try {
    return { ...(await work()), mostMb };
  } finally {
    clearInterval(look);
  }
}

function figuresOf(results) {
  const show = figuresOver(results);
  const microsADelivery = ({ serverCores, deliveredPerSecond }) => (serverCores / deliveredPerSecond) * 1e6;
  return [
    never(
      'lost',
      'events',
      results.map(({ missing }) => missing),
    ),
    never(
      'in another order, or twice',
      'events',
      results.map(({ outOfOrder }) => outOfOrder),
    ),
    show('publish call to receipt, p50', 'ms', ({ p50Ms }) => p50Ms, { digits: 1 }),
    show('  p99', 'ms', ({ p99Ms }) => p99Ms, { digits: 1 }),
    show('published', 'events/s', ({ publishedPerSecond }) => publishedPerSecond),
    show('delivered', 'events/s', ({ deliveredPerSecond }) => deliveredPerSecond),
    show('  CPU of the server', 'us/delivery', microsADelivery, { digits: 1 }),
    ...usageFigures(results, 'readers and writer'),
    show('server resident, most', 'MB', ({ mostMb }) => mostMb),
  ];
}

function how({ seconds, readers, rate }) {
  return [
    `${readers} readers of cdc/stream of one organisation over raw sockets; ${rate} events of ${EVENT_BYTES} bytes a second published one a call, whether the last was answered or not, ${seconds} s a run`,
    'readers and writer are one process, so one clock; from before the call is written to when the bytes of the event are read; role all',
  ];
}
