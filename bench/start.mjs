import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../dist/local/free-port.js';
import { removeFolder } from '../dist/local/remove-folder.js';
import { accountForPostgres, temporaryFolderFor } from '../dist/local/server-account.js';
import { DurableStores } from './durable-stores.mjs';
import { answersOk, startIpm } from './ipm-server.mjs';
import { figure } from './report.mjs';

const root = path.resolve(import.meta.dirname, '..');
const SERVING_WITHIN_MS = 15 * 60_000;
const STOPPED_WITHIN_MS = 60_000;

export async function measure({ runs = 5, cold }, progress) {
  const folder = temporaryFolderFor(accountForPostgres(''), 'ipm-bench-start-');
  try {
    const clone = path.join(folder, 'clone');
    const commit = cloneHead(clone);
    const cache = cold ? path.join(folder, 'npm-cache') : undefined;
    if (cache) mkdirSync(cache);
    const fresh = await npmStart(clone, cache);
    progress(
      `fresh clone of ${commit}: serving after ${fresh.seconds.toFixed(1)} s, of that npm ci ${fresh.packages} s, build ${fresh.build} s`,
    );
    const restarts = [];
    for (let i = 1; i <= runs; i += 1) {
      restarts.push((await npmStart(clone, cache)).seconds);
      progress(`restart ${i}: ${restarts.at(-1).toFixed(2)} s`);
    }
    const alone = await programAlone(runs, progress);
    return { how: how({ commit, cold }), figures: figuresOf(fresh, restarts, alone) };
  } finally {
    await removeFolder(folder);
  }
}

function figuresOf({ seconds, packages, build }, restarts, alone) {
  const digits = 2;
  return [
    figure('fresh clone to serving', 's', [seconds], { digits: 1 }),
    figure('  of that npm ci (network)', 's', [packages], { digits: 1 }),
    figure('  of that prisma generate and tsc', 's', [build], { digits: 1 }),
    figure('  of that the rest: stores, migrations, server', 's', [seconds - packages - build], { digits: 1 }),
    figure('restart to serving, npm start', 's', restarts, { atMost: 5, digits }),
    figure('node dist/main.js to serving', 's', alone, { atMost: 3, digits }),
  ];
}

function cloneHead(clone) {
  try {
    execFileSync('git', ['clone', '--quiet', '--no-local', root, clone], { stdio: ['ignore', 'ignore', 'pipe'] });
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: clone,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    throw Object.assign(new Error(`There is no commit in ${root} to clone.`), { name: 'NotMeasured' });
  }
}

/** `npm start` to the first 200 of the readiness probe; then stopped as a Ctrl-C at the terminal does. */
async function npmStart(clone, cache) {
  const port = await freePort();
  const { PATH, HOME, TMPDIR, npm_execpath: npm } = process.env;
  const environment = {
    PATH,
    HOME,
    ...(TMPDIR && { TMPDIR }),
    PORT: String(port),
    ...(cache && { npm_config_cache: cache }),
  };
  const [command, ...args] = npm?.endsWith('npm-cli.js') ? [process.execPath, npm, 'start'] : ['npm', 'start'];
  const begun = performance.now();
  const child = spawn(command, args, {
    cwd: clone,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const release = stopWhenWeAreStopped(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  try {
    while (!(await answersOk(`http://127.0.0.1:${port}/health/ready`))) {
      if (child.exitCode !== null || performance.now() - begun > SERVING_WITHIN_MS)
        throw new Error(`npm start does not serve:\n${output}`);
      await sleep(20);
    }
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, packages: secondsOf('Packages', output), build: secondsOf('Build', output) };
  } finally {
    release();
    if (child.exitCode === null) process.kill(-child.pid, 'SIGINT');
    const late = await Promise.race([exited, sleep(STOPPED_WITHIN_MS, 'late', { ref: false })]);
    if (late === 'late') process.kill(-child.pid, 'SIGKILL');
  }
}

/** It leads a process group of its own, which a Ctrl-C of the bench would not reach. */
function stopWhenWeAreStopped(child) {
  const stop = () => {
    process.kill(-child.pid, 'SIGINT');
    process.exit(2);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.once(signal, stop);
  return () => signals.forEach((signal) => process.off(signal, stop));
}

/** As `scripts/preparation.mjs` prints it; 0 when the step was not needed. */
function secondsOf(step, output) {
  return Number(new RegExp(`^\\s*${step}\\s+ready\\s+([\\d.]+) s`, 'm').exec(output)?.[1] ?? 0);
}

async function programAlone(runs, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const first = await startIpm(stores); // migrates and bootstraps
    await first.server.stop();
    const seconds = [];
    for (let i = 1; i <= runs; i += 1) {
      const { server, readyMs } = await startIpm(stores);
      await server.stop();
      seconds.push(readyMs / 1000);
      progress(`node dist/main.js ${i}: ${seconds.at(-1).toFixed(2)} s`);
    }
    return seconds;
  } finally {
    await stores.stop();
  }
}

function how({ commit, cold }) {
  return [
    'until the first 200 of /health/ready, asked every 20 ms or sooner',
    `fresh clone: git clone --no-local of ${commit} (not timed), npm start, ${cold ? 'empty npm cache' : 'npm cache as it is on this machine'}; once`,
    'restart: npm start again in that clone, data kept, embedded Postgres and Redis included',
    'node dist/main.js: role all, Postgres and Redis already running, migrated',
  ];
}
