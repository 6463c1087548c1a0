// `npm run bench -- start|idle|guarded|page|stop`: measures the figures of docs/performance.md on this machine.
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
};

const HELP = `npm run bench -- <what> [options]

${Object.entries(BENCHES)
  .map(([name, what]) => `  ${name.padEnd(9)}${what}`)
  .join('\n')}

  --runs N          how often (start 5, idle 3, guarded 5 pairs, page 5, stop 5)
  --seconds N       length of a run under load (8), wait before memory is read (30), load before SIGTERM (2)
  --connections N   of the load (64)
  --profile         guarded: one more run under the CPU profiler, and where the time goes
  --cold            start: npm ci with an empty npm cache
  --json            the report as JSON, every run in it
  --help

Starts its own Postgres (fsync and synchronous_commit on), Redis and servers on free ports of 127.0.0.1, and stops them.
Exit code: 0 every target met, 1 a target missed or not judged, 2 not measured. Run it on a machine that does nothing else.`;

const OPTIONS = {
  runs: { type: 'string' },
  seconds: { type: 'string' },
  connections: { type: 'string' },
  profile: { type: 'boolean', default: false },
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
    const report = await measure(numbersIn(values), progress);
    const whole = { bench: name, machine: begun, ...report };
    return say(values.json ? JSON.stringify(whole, null, 2) : tableOf(whole), meetsTargets(whole) ? 0 : 1);
  } catch (error) {
    const isMendable =
      error instanceof BuildFailed || error.name === 'NotMeasured' || error.code?.startsWith('ERR_PARSE_ARGS');
    return complain(isMendable ? error.message : error);
  }
}

function numbersIn({ runs, seconds, connections, ...rest }) {
  const given = Object.entries({ runs, seconds, connections }).filter(([, text]) => text !== undefined);
  const numbers = given.map(([option, text]) => {
    if (!/^[1-9]\d{0,4}$/.test(text))
      throw Object.assign(new Error(`--${option} must be a whole number from 1`), { name: 'NotMeasured' });
    return [option, Number(text)];
  });
  return { ...rest, ...Object.fromEntries(numbers) };
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
