import path from 'node:path';
import { DeliveryGround } from './delivery-ground.mjs';
import { bare, drain, flood } from './drain.mjs';
import { hottestFunctions } from './profile.mjs';
import { figuresOver, judgedAlone, notMeasured } from './report.mjs';

const CASES = [
  { name: '1 webhook', organisations: 1, webhooks: 1, atLeast: 0.5, floods: true },
  { name: '50 webhooks of one organisation', organisations: 1, webhooks: 50, atLeast: 0.5, floods: true },
  { name: '50 webhooks of 50 organisations', organisations: 50, webhooks: 50, atLeast: 0.5, floods: true },
  { name: '1,000 webhooks of one organisation', organisations: 1, webhooks: 1_000, atLeast: 0.25 },
  { name: '1,000 webhooks of 50 organisations', organisations: 50, webhooks: 1_000, atLeast: 0.25 },
];

export async function measure({ runs = 3, seconds = 3, deliveries = 100_000, webhooks, profile }, progress) {
  const wanted = CASES.filter((one) => webhooks === undefined || one.webhooks === webhooks);
  if (wanted.length === 0) throw notMeasured('--webhooks is 1, 50 or 1000');
  const ground = await DeliveryGround.start(progress);
  try {
    const cases = [];
    for (const one of wanted) cases.push({ ...one, ...(await fieldOf(ground, one, deliveries)), results: [] });
    const messages = await ground.messages(cases[0].field, drain);
    for (let run = 1; run <= runs; run += 1)
      for (const one of cases) {
        one.results.push(await roundOf(ground, one, { messages, seconds }));
        progress(`run ${run}: ${one.name}: ${inRound(one.results.at(-1))}`);
      }
    const { figures, notes } = judgedAlone(
      cases.flatMap(figuresOf),
      cases.flatMap(({ results }) => results.map(({ drained }) => coresOf(drained))),
    );
    const profiles = [];
    if (profile) for (const one of cases) profiles.push(...(await profileOf(ground, one, progress)));
    return { how: how(messages, seconds), figures, notes: [...notes, ...cases.flatMap(rowsOf), ...profiles] };
  } finally {
    await ground.stop();
  }
}

async function fieldOf(ground, one, deliveries) {
  return { field: await ground.field(one), each: Math.max(1, Math.round(deliveries / one.webhooks)) };
}

/** The bare client before and after, so that a machine whose speed changes is the same for both. */
async function roundOf(ground, { field, each, floods }, { messages, seconds }) {
  const before = await bare(ground, field, messages, seconds);
  const drained = await drain(ground, field, { each });
  const after = await bare(ground, field, messages, seconds);
  const flooded = floods ? await flood(ground, field, { each }) : undefined;
  return { bare: together(before, after), drained, flooded };
}

function together(...halves) {
  const sum = (pick) => halves.reduce((total, half) => total + pick(half), 0);
  const calls = sum((half) => half.calls);
  return {
    perSecond: calls / sum(({ seconds }) => seconds),
    cpuSeconds: sum((half) => half.cpuSeconds),
    calls,
    sinkCores: sum(({ sinkCores }) => sinkCores) / halves.length,
  };
}

function inRound({ bare: ofBare, drained, flooded }) {
  const ratio = (drained.perSecond / ofBare.perSecond).toFixed(3);
  const while_ = flooded ? `, ${flooded.perSecond.toFixed(0)}/s while publishing` : '';
  return `bare ${ofBare.perSecond.toFixed(0)}/s, drained ${drained.perSecond.toFixed(0)}/s: ${ratio}${while_}`;
}

function coresOf({ used }) {
  return { otherCores: used.others / used.wall };
}

function figuresOf({ name, atLeast, floods, results }) {
  const show = figuresOver(results);
  const perThousand =
    (part) =>
    ({ drained }) =>
      (1_000 * drained.used[part]) / drained.sinceReady;
  const cpu = { digits: 4 };
  const cores = { digits: 2 };
  return [
    show(`${name}: drain / bare`, 'ratio', ({ drained, bare: { perSecond } }) => drained.perSecond / perSecond, {
      atLeast,
      digits: 3,
    }),
    show('  drained', 'deliveries/s', ({ drained }) => drained.perSecond),
    ...(floods ? [show('  while publishing', 'deliveries/s', ({ flooded }) => flooded.perSecond)] : []),
    show('  bare client', 'calls/s', ({ bare: { perSecond } }) => perSecond),
    show('  CPU of the worker', 's/1000', perThousand('worker'), cpu),
    show('  CPU of Postgres', 's/1000', perThousand('postgres'), cpu),
    show('  CPU of the sink', 's/1000', perThousand('sink'), cpu),
    show('  CPU of the bare client', 's/1000', ({ bare: { cpuSeconds, calls } }) => (1_000 * cpuSeconds) / calls, cpu),
    show('  write-ahead log', 'bytes/delivery', ({ drained }) => drained.walBytes / drained.deliveries),
    show('  row versions written', 'rows/delivery', ({ drained }) => rowsPerDelivery(drained), cores),
    ...['worker', 'postgres', 'sink', 'others'].map((part) =>
      show(`  cores busy: ${part}`, 'cores', ({ drained: { used } }) => used[part] / used.wall, cores),
    ),
    show('  cores busy: sink, of bare', 'cores', ({ bare: { sinkCores } }) => sinkCores, cores),
  ];
}

function rowsPerDelivery({ rows, deliveries }) {
  return rows.reduce((sum, { count }) => sum + count, 0) / deliveries;
}

/** Of the last run: the tables that get the most. */
function rowsOf({ name, results }) {
  const { rows, deliveries } = results.at(-1).drained;
  const most = rows.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const list = most.map(({ table, count }) => `${table} ${(count / deliveries).toFixed(4)}`);
  return [`Row versions written a delivery, ${name}: ${list.join(', ')}`];
}

async function profileOf(ground, { name, field, each }, progress) {
  progress(`once more under the CPU profiler: ${name}`);
  const folder = path.join(ground.stores.folder, `profiled-${field.from}`);
  const { perSecond } = await drain(ground, field, { each, nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`] });
  const { firstAtNs, lastAtNs } = await ground.sink.times();
  const heading = `Where the worker's time goes: ${name} (self time, without idle; ${perSecond.toFixed(0)} deliveries/s under the profiler)`;
  return ['', heading, ...hottestFunctions(folder, { from: firstAtNs, to: lastAtNs })];
}

function how(messages, seconds) {
  const bytes = messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0) / messages.length;
  return [
    `drained: published 100 a call while no worker runs, then one worker is started; from the first call at the sink to the last, the worker's first second included`,
    `bare: undici Agent.dispatch (64 connections, 256 in flight) with the messages that IPM sent before (bodies of ${bytes.toFixed(0)} bytes, the same headers), signed anew, to the same sink; ${seconds} s before each drain and ${seconds} s after`,
    'while publishing: one process of role all, warmed up, 8 connections publish 100 a call at the same time',
    'each event at each webhook exactly once, at the sink and in the database, or the run does not count; the sink is a process of its own on raw sockets',
    'row versions (insert, update, delete) of the tables that workers write; CPU from when worker and first call are there; Postgres with fsync and synchronous_commit on',
  ];
}
