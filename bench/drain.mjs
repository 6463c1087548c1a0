import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CpuMeter } from './cpu-meter.mjs';
import { untilSettled } from './delivery-ground.mjs';
import { EventPublisher } from './event-publisher.mjs';
import { outcomeOf } from './raw-load.mjs';
import { notMeasured } from './report.mjs';

const bareProgram = path.join(import.meta.dirname, 'bare-sender.mjs');
/** For what comes although everything is there. */
const LATECOMERS_MS = 300;
/** Sessions of a worker that has stopped tell Postgres how many rows they wrote as they end. */
const COUNTED_AFTER_MS = 500;
const WRITTEN_BY_WORKERS = '^(delivery|webhook|router_cursor)';
const WARM_UP_DELIVERIES = 3_000;

/** Publishes `each` events in each organisation while nobody delivers, and then starts workers: how fast they work it off. */
export async function drain(ground, field, { each, workers = 1, nodeArgs = [], capture = 0 }) {
  const { sink, publisher, meter } = ground;
  await sink.expect({ from: field.from, webhooks: field.webhooks, each, capture });
  await publisher.publish(field.targets, each);
  await meter.since();
  const rowsBefore = await meter.rows(WRITTEN_BY_WORKERS);
  const launched = Array.from({ length: workers }, () => ground.launch('worker', nodeArgs));
  const measured = await untilAll(ground, launched, field.webhooks * each);
  if (capture === 0 && measured.sinceReady < measured.deliveries / 4)
    throw notMeasured('Most had been sent before the workers were ready: more --deliveries.');
  const { walBytes } = await meter.since();
  for (const { server } of await Promise.all(launched)) await server.stop();
  await sleep(COUNTED_AFTER_MS);
  const rowsAfter = await meter.rows(WRITTEN_BY_WORKERS);
  const rows = [...rowsAfter].map(([table, count]) => ({ table, count: count - (rowsBefore.get(table) ?? 0) }));
  return { ...measured, walBytes, rows };
}

/** Publishes as fast as it can to one process that takes in and delivers at the same time. */
export async function flood(ground, field, { each }) {
  const all = await ground.launch('all');
  const publisher = new EventPublisher(all);
  try {
    const round = async (events) => {
      await ground.sink.expect({ from: field.from, webhooks: field.webhooks, each: events });
      const published = publisher.publish(field.targets, events);
      const [measured] = await Promise.all([untilAll(ground, [all], field.webhooks * events), published]);
      return measured;
    };
    await round(Math.max(1, Math.ceil(WARM_UP_DELIVERIES / field.webhooks)));
    return await round(each);
  } finally {
    await publisher.end();
    await all.server.stop();
  }
}

/** The same messages to the same sink by the bare client. */
export async function bare({ sink }, field, messages, seconds) {
  await sink.expect({ from: field.from, webhooks: field.webhooks, each: 0 });
  const cpu = new CpuMeter({ sink: sink.pid });
  const { from, webhooks } = field;
  const { calls, cpuSeconds } = await outcomeOf(bareProgram, { port: sink.port, from, webhooks, messages, seconds });
  const used = cpu.since();
  const { count, firstAtNs, lastAtNs } = await sink.times();
  const { strays } = await sink.audit();
  if (count !== calls || strays > 0)
    throw new Error(`${calls} bare calls, of which ${count} arrived, and ${strays} strays`);
  return { calls, seconds: secondsBetween(firstAtNs, lastAtNs), cpuSeconds, sinkCores: used.sink / used.wall };
}

async function untilAll(ground, launched, deliveries) {
  const { sink } = ground;
  const servers = await Promise.all(launched);
  await sink.first();
  const cpu = ground.cpuMeter(servers);
  const whenReady = await sink.look();
  await sink.all();
  const used = cpu.since();
  const { firstAtNs, lastAtNs } = await sink.times();
  await assertAllSettled(ground, deliveries);
  const sinceReady = deliveries - whenReady.count;
  return {
    perSecond: deliveries / secondsBetween(firstAtNs, lastAtNs),
    perSecondSinceReady: sinceReady / secondsBetween(whenReady.atNs, lastAtNs),
    deliveries,
    sinceReady,
    used,
  };
}

/** At the sink each once, in the database all delivered and nothing left of leases and queue. */
async function assertAllSettled(ground, deliveries) {
  ground.delivered += deliveries;
  await untilSettled(ground.meter);
  await sleep(LATECOMERS_MS);
  const inDatabase = await ground.meter.ask(
    `select count(*)::float8 as all, count(*) filter (where status = 'delivered')::float8 as delivered from delivery`,
  );
  const { twice, missing, strays } = await ground.sink.audit();
  const isWell = inDatabase.all === ground.delivered && inDatabase.delivered === ground.delivered;
  if (isWell && twice + missing + strays === 0) return;
  throw new Error(
    `not each once: ${twice} twice, ${missing} missing, ${strays} strays at the sink; ` +
      `the database has ${inDatabase.all} deliveries, ${inDatabase.delivered} delivered, and there should be ${ground.delivered}`,
  );
}

function secondsBetween(fromNs, toNs) {
  return Number(toNs - fromNs) / 1e9;
}
