import { feedPages } from './feed-pages.mjs';
import { feedPlans } from './feed-plans.mjs';
import { call, startIpm } from './ipm-server.mjs';
import { publishing, rawLoad } from './raw-load.mjs';
import { figuresOver, judgedAlone } from './report.mjs';
import { openSeeded } from './seeded-store.mjs';

const EVENTS = 1_000_000;
const LIMITS = [8, 256];
const WARM_UP_SECONDS = 1;
/** As for any page read through the tenant wall; and what "the same cost in a larger store" means. */
const PAGES_A_SECOND = 1500;
const MOST_GROWTH = 1.2;

export async function measure(options, progress) {
  const { runs = 3, seconds = 3, connections = 64, explain } = options;
  const logs = [];
  try {
    for (const one of wantedLogs(options)) logs.push(await openLog(one, progress));
    await rounds(logs, { runs, seconds, connections }, progress);
    const { figures, notes } = judgedAlone(
      [...growth(logs), ...logs.flatMap(figuresOf)],
      logs.flatMap(({ cases }) => cases.flatMap(({ results }) => results.map(({ together }) => together))),
    );
    const plans = explain ? await Promise.all(logs.map(plansOf)) : [];
    return { how: how({ seconds, connections, logs }), figures, notes: [...notes, ...plans.flat()] };
  } finally {
    await Promise.all(logs.map(({ stores }) => stores.stop()));
  }
}

function wantedLogs({ stores = [], events = EVENTS, eventBytes }) {
  if (stores.length > 2) throw Object.assign(new Error('feed takes one --store or two'), { name: 'NotMeasured' });
  return stores.length > 0 ? stores.map((store) => ({ store })) : [{ events, eventBytes }];
}

async function rounds(logs, { runs, seconds, connections }, progress) {
  for (const log of logs) for (const one of log.cases) await run(log, one, { seconds: WARM_UP_SECONDS, connections });
  for (let i = 1; i <= runs; i += 1) {
    for (const [index] of logs[0].cases.entries())
      for (const log of logs) log.cases[index].results.push(await run(log, log.cases[index], { seconds, connections }));
    progress(`run ${i}: ${logs.map(inRun).join('; ')}`);
  }
}

/** A seeded log with a server, and what is asked of it. */
async function openLog(wanted, progress) {
  const { stores, layout } = await openSeeded(wanted, progress);
  try {
    const ipm = await startIpm(stores);
    const pages = await feedPages(ipm, layout);
    const cases = [];
    for (const { name, bodies, isFull } of pages) {
      for (const limit of LIMITS) cases.push(await pageCase(ipm, { name, bodies, isFull, limit }));
    }
    for (const count of [1, 100]) cases.push(publishCase(count));
    return { stores, layout, ipm, pages, cases, size: `${layout.events / 1e6}m` };
  } catch (error) {
    await stores.stop();
    throw error;
  }
}

async function pageCase(ipm, { name, bodies, isFull, limit }) {
  const asked = bodies.map((body) => ({ ...body, limit }));
  const answers = await Promise.all(asked.map(async (body) => JSON.parse(await call(ipm, 'cdc/list', body)).data));
  const items = answers.map((answer) => answer.items.length);
  if (isFull && items.some((count) => count !== limit)) throw new Error(`${name}: ${items} items instead of ${limit}`);
  const load = { operation: 'cdc/list', bodies: asked.map((body) => JSON.stringify(body)), expect: '"success":true' };
  return {
    name: `${name}, limit ${limit}`,
    load,
    results: [],
    atLeast: isFull && limit === 8 ? PAGES_A_SECOND : undefined,
  };
}

function publishCase(count) {
  return { name: `publish ${count}`, load: publishing(count), results: [] };
}

/** One after the other for the latency, many at once for the rate. */
async function run({ ipm }, { load }, { seconds, connections }) {
  const targets = [ipm.headers];
  const alone = await rawLoad(ipm, { ...load, targets, connections: 1, seconds });
  const together = await rawLoad(ipm, { ...load, targets, connections, seconds });
  return { alone, together };
}

function inRun({ size, cases }) {
  const last = cases.map(({ name, results }) => `${name} ${results.at(-1).alone.p50Ms.toFixed(2)} ms`);
  return `${size}: ${last.join(', ')}`;
}

/** Of the larger log to the smaller one, case by case and run by run. */
function growth(logs) {
  const [small, large] = logs;
  if (!large) return [];
  const what = `${large.size} / ${small.size}`;
  return small.cases.flatMap(({ name, results }, i) => {
    const pairs = results.map((result, run) => [large.cases[i].results[run].alone, result.alone]);
    const show = figuresOver(pairs);
    return [
      show(`${name}, p50, ${what}`, 'ratio', ([a, b]) => a.p50Ms / b.p50Ms, { atMost: MOST_GROWTH, digits: 2 }),
      show('  p95', 'ratio', ([a, b]) => a.p95Ms / b.p95Ms, { digits: 2 }),
    ];
  });
}

function figuresOf({ size, cases }) {
  return cases.flatMap(({ name, results, atLeast }) => {
    const show = figuresOver(results);
    const micros = (coresOf) => (result) => (coresOf(result.together) / result.together.perSecond) * 1e6;
    return [
      show(`${size}: ${name}, p50`, 'ms', ({ alone }) => alone.p50Ms, { digits: 2 }),
      show('  p95', 'ms', ({ alone }) => alone.p95Ms, { digits: 2 }),
      show('  many at once', 'calls/s', ({ together }) => together.perSecond, { ...(atLeast && { atLeast }) }),
      show(
        '  CPU of the server',
        'us/call',
        micros(({ serverCores }) => serverCores),
      ),
      show(
        '  CPU of Postgres',
        'us/call',
        micros(({ postgresCores }) => postgresCores),
      ),
    ];
  });
}

async function plansOf({ ipm, layout, pages, size }) {
  const position = Math.floor(layout.events * 0.4);
  return ['', `${size}: EXPLAIN of what the pages run`, ...(await feedPlans(ipm, pages, LIMITS, position))];
}

function how({ seconds, connections, logs }) {
  return [
    `cdc/list over HTTP as the organisation with half of the events, on ${logs.map(({ layout }) => `${layout.events} events`).join(' and ')}, alternately; pages at 16 places around the middle, read before`,
    `latency of one connection, ${seconds} s; rate of ${connections} connections, ${seconds} s; role all; Postgres with 256 MB of shared buffers, fsync and synchronous_commit on`,
    'rare service: one event in 50,000 of the organisation, a page looks at 20,000 and answers short; one minute: some 3,000 events of it',
  ];
}
