// `npm run soak -- --minutes 10 --seed 7`: test/soak, told by its environment what is asked for.
import path from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `npm run soak -- [options]

Processes of the built product on a Postgres and a Redis of their own, under load, through faults drawn by chance; then every
promise is held against what is there. docs/faults.md tells of it.

  --minutes N       how long faults happen (10); starting and coming to rest take some more
  --seed N          draws the same faults in the same order again; without it a new seed, which the report names
  --report FILE     writes the report: as Markdown where the name ends in .md, as JSON otherwise
  --sabotage NAME   what somebody might have written instead, and must turn red:
                    withoutFence, withoutRecovery (deliveries); withoutKeys, withoutLock (the log)
  --help

Exit code: 0 nothing to complain of, 1 otherwise.`;

function fail(message) {
  console.error(`${message}\n\n${HELP}`);
  process.exit(1);
}

function read() {
  try {
    return parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        seed: { type: 'string' },
        report: { type: 'string' },
        sabotage: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error.message);
  }
}

const { minutes, seed, report, sabotage, help } = read();
if (help) {
  console.log(HELP);
  process.exit(0);
}
if (!(Number(minutes) > 0 && Number(minutes) <= 24 * 60))
  fail(`--minutes ${minutes} is no number of minutes up to a day`);
if (seed !== undefined && !/^\d{1,10}$/.test(seed)) fail(`--seed ${seed} is no whole number`);

process.env.SOAK_MINUTES = minutes;
if (seed !== undefined) process.env.FAULT_SEED = seed;
if (report !== undefined) process.env.SOAK_REPORT = path.resolve(report);
if (sabotage !== undefined) process.env.SOAK_SABOTAGE = sabotage;
process.argv.splice(2, Infinity, '--soak');
await import('./test.mjs');
