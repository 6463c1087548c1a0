// `npm run bench -- <what>`: measures the figures of docs/performance.md on this machine.
import { parseArgs } from 'node:util';
import { machine } from './machine.mjs';
import { meetsTargets, tableOf } from './report.mjs';
import { build, BuildFailed } from '../scripts/build.mjs';

const BENCHES = {
  start: 'fresh clone to serving, restart to serving, the program alone to serving (clones HEAD and runs npm ci)',
  idle: 'resident memory of the Node process 30 s after its start, by role, without load',
  guarded: 'a guarded route that needs no table against a bare Nest-on-Fastify route, in pairs',
  page: 'guarded pages read through the tenant wall: 10,000 audit events, 200 registered types',
  stop: 'SIGTERM under load: how many requests that were sent got no answer',
  seed: 'fills the event log by the million, for the benches below',
  publish: '100 events a call against COPY of the same rows and against a bare Fastify that only parses the body',
  single: 'one event a call in one organisation and over 50',
  feed: 'pages of cdc/list, and publishing, on a log of a given size; with two stores, how both grow',
  stream: 'one writer, 500 readers of cdc/stream: how late an event is there, and whether all are',
  deliver: 'deliveries a second to 1, 50 and 1,000 webhooks against the bare HTTP client, and what each costs',
  latency: 'from the publish call to the receiver: idle, and at half of what it can deliver',
  neighbours: 'how late healthy webhooks are while a dead one has 200,000 deliveries waiting',
  bulk: 'imports and exports of a file of lines: lines a second, peak memory, and publishing of others meanwhile',
  kpi: 'kpi/query, record and alert in an open loop on a million figures',
  routes:
    'each route of the contract at 10 times its rate in an open loop, against a fifth of its p95, on a large store',
  workers: 'how much more two workers deliver than one, on this machine',
};

const HELP = `npm run bench -- <what> [options]

${Object.entries(BENCHES)
  .map(([name, what]) => `  ${name.padEnd(11)}${what}`)
  .join('\n')}

  --runs N          how often (start 5, idle 3, guarded 5 pairs, page 5, stop 5, publish 5 rounds, single 5, the others 3)
  --seconds N       length of a run under load (8; feed, deliver 3; stream 10; latency, neighbours 20), wait before memory is read (30), load before SIGTERM (2)
  --connections N   of the load (64; publish 8)
  --profile         guarded, publish, single, deliver: one more run under the CPU profiler, and where the time goes; routes: all of it under the profiler
  --cold            start: npm ci with an empty npm cache
  --events N        seed, feed: how many there are in the log (1m); bulk: lines of the file (100k); kpi: figures (1m); routes: 10m; 10k and 50m are numbers too
  --event-bytes N   seed, bulk: of an event as JSON (1024); some 580 more on the disk
  --keep FOLDER     seed: where the store stays
  --store FOLDER    publish, single, feed, routes: use a kept store (routes adds figures, webhooks and jobs); feed takes two and compares them, the smaller first
  --apart           bulk: an API and a worker instead of one process for all
  --explain         feed, kpi: how Postgres runs the statement of each page
  --only ROUTE      routes: one of them, as cdc/list
  --readers N       stream (500)
  --rate N          stream: events a second (200); neighbours: the same (200); latency: deliveries a second, for half of a known figure
  --deliveries N    deliver, workers: of a run (100k)
  --webhooks N      deliver: only 1, 50 or 1000
  --waiting N       neighbours: for the dead webhook (200k)
  --json            the report as JSON, every run in it
  --help

Starts its own Postgres (fsync and synchronous_commit on), Redis and servers on free ports of 127.0.0.1, and stops them.
Exit code: 0 every target met, 1 a target missed or not judged, 2 not measured. Run it on a machine that does nothing else.`;

const NUMBERS = [
  'runs',
  'seconds',
  'connections',
  'events',
  'event-bytes',
  'readers',
  'rate',
  'deliveries',
  'webhooks',
  'waiting',
];
const TEXTS = ['keep', 'only'];
const FACTORS = { '': 1, k: 1_000, m: 1_000_000 };
const MOST = 1_000_000_000;

const OPTIONS = {
  ...Object.fromEntries(NUMBERS.map((name) => [name, { type: 'string' }])),
  keep: { type: 'string' },
  store: { type: 'string', multiple: true },
  only: { type: 'string' },
  profile: { type: 'boolean', default: false },
  apart: { type: 'boolean', default: false },
  explain: { type: 'boolean', default: false },
  cold: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

process.exitCode = await run(process.argv.slice(2));

async function run(args) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    if (values.help) return say(HELP, 0);
    const [name] = positionals;
    if (positionals.length !== 1 || !Object.hasOwn(BENCHES, name)) return complain(HELP);
    build(); // it never installs: npm ci would empty node_modules, also one that is a link to somebody else's
    const { measure } = await import(`./${name}.mjs`);
    const begun = machine();
    const report = await measure(optionsIn(values), progress);
    const whole = { bench: name, machine: begun, ...report };
    return say(values.json ? JSON.stringify(whole, null, 2) : tableOf(whole), meetsTargets(whole) ? 0 : 1);
  } catch (error) {
    const isMendable =
      error instanceof BuildFailed || error.name === 'NotMeasured' || error.code?.startsWith('ERR_PARSE_ARGS');
    return complain(isMendable ? error.message : error);
  }
}

function optionsIn({ store: stores, 'event-bytes': eventBytes, ...rest }) {
  const given = Object.entries({ ...rest, stores, eventBytes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => [name, typeof value === 'string' && !TEXTS.includes(name) ? numberIn(value) : value]),
  );
}

function numberIn(text) {
  const [, digits, unit] = /^([1-9]\d*)([km]?)$/.exec(text) ?? [];
  const number = Number(digits) * FACTORS[unit];
  if (number <= MOST) return number;
  throw Object.assign(new Error(`${text} is no whole number from 1 to ${MOST}`), { name: 'NotMeasured' });
}

function progress(line) {
  console.error(`  ${line}`);
}

function say(text, exitCode) {
  console.log(text);
  return exitCode;
}

function complain(what) {
  console.error(what);
  return 2;
}
