// `npm test`: the whole suite against a real Postgres and a real Redis of its own. `npm test -- webhook` runs what matches;
// `npm run test:faults` (--faults) runs test/faults and `npm run soak` (--soak) test/soak, which the suite leaves out.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { assertNodeVersion, PreparationFailed, prepare } from './preparation.mjs';

const MOST_WORKERS = 4;
const EXIT_AFTER_REPORT_MS = 30_000;
const STRAYS_END_WITHIN_MS = 3_000;

const root = realpathSync(path.resolve(import.meta.dirname, '..'));
const folderOf = { '--faults': 'test/faults', '--soak': 'test/soak' };
const separateFolder = folderOf[process.argv.slice(2).find((argument) => argument in folderOf)];
const jestArguments = process.argv.slice(2).filter((argument) => !(argument in folderOf) && argument !== '--');
const mark = randomUUID();
const stopping = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => stopping.abort(new PreparationFailed(`stopped by ${signal}`)));
}

const outcome = { report: undefined, problems: [] };
try {
  assertNodeVersion();
  prepare((line) => console.error(`  ${line}`));
  process.env.IPM_TEST_RUN = mark;
  await runWithStores();
} catch (error) {
  const known = error instanceof PreparationFailed || error?.constructor?.name === 'StartProblem';
  outcome.problems.push(known ? error.message : (error?.stack ?? String(error)));
}
await reportAndExit();

async function runWithStores() {
  const { ThrowawayStores } = await import('../dist/local/throwaway-stores.js');
  const { parentGone } = await import('../dist/local/parent-watch.js');
  void parentGone().then(() => stopping.abort(new PreparationFailed('stopped: npm is gone')));
  const { problemsOf, readTestReport } = await import('../dist/local/test-report.js');
  const stores = await ThrowawayStores.start((line) => console.error(`  ${line}`), stopping.signal);
  try {
    const reportFile = path.join(stores.folder, 'jest.json');
    await runJest(stores, reportFile);
    outcome.report = readTestReport(reportFile);
  } finally {
    await stores.stop();
  }
  outcome.problems.push(...(await strays()));
  stopping.signal.throwIfAborted();
  outcome.problems.push(...problemsOf(outcome.report, { root, whole: jestArguments.length === 0 && !separateFolder }));
}

async function runJest(stores, reportFile) {
  const { ManagedProcess } = await import('../dist/local/managed-process.js');
  const { separateTestFolders } = await import('../dist/local/test-report.js');
  const jest = new ManagedProcess(
    {
      kind: 'test-run',
      command: process.execPath,
      args: [
        path.join(root, 'node_modules/jest/bin/jest.js'),
        ...jestArguments,
        ...selection(separateTestFolders),
        ...reporting(reportFile),
      ],
      environment: testEnvironment(stores),
      folder: root,
    },
    stores.records,
  );
  stopping.signal.addEventListener('abort', () => void jest.stop());
  const hung = new AbortController();
  const hangs = endOfPatience(reportFile, hung.signal).then(() =>
    outcome.problems.push('jest did not end: a test left something open'),
  );
  await Promise.race([jest.exited, hangs]);
  hung.abort();
  if (!jest.hasEnded) await jest.stop();
}

function selection(separateFolders) {
  const separate = (folder) => `${path.join(root, folder)}/`;
  return separateFolder
    ? [`--roots=${separate(separateFolder)}`]
    : separateFolders.map((folder) => `--testPathIgnorePatterns=${separate(folder)}`);
}

function reporting(reportFile) {
  const cache = path.join(os.tmpdir(), `ipm-jest-${os.userInfo().uid}`);
  return [
    // A fault test loads the machine by itself.
    `--maxWorkers=${separateFolder ? 1 : Math.min(os.availableParallelism(), MOST_WORKERS)}`,
    '--json',
    `--outputFile=${reportFile}`,
    `--cacheDirectory=${cache}`,
  ];
}

/** Nothing of what the user has set for a stack of their own. */
function testEnvironment(stores) {
  const ours = /^(IPM_(?!TEST_RUN)|S3_|WEBHOOK_|DATABASE_|REDIS_URL$|API_KEY$|PORT$|HOST$|LOG_LEVEL$|NODE_ENV$)/;
  const others = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  // What a killed run leaves in its temporary folder goes with ours.
  const temporaryFolder = path.join(stores.folder, 'tmp');
  mkdirSync(temporaryFolder, { mode: 0o711 });
  return {
    ...others,
    TMPDIR: temporaryFolder,
    TEST_DATABASE_ADMIN_URL: stores.adminUrl,
    TEST_DATABASE_TEMPLATE: stores.template,
    TEST_REDIS_URL: stores.redisUrl,
  };
}

/** jest writes its report when all tests are through; what then keeps it from ending was left open by one of them. */
async function endOfPatience(reportFile, signal) {
  const aborted = () => new Promise(() => undefined);
  while (!existsSync(reportFile)) {
    if (signal.aborted) return aborted();
    await delay(500, undefined, { ref: false });
  }
  await delay(EXIT_AFTER_REPORT_MS, undefined, { ref: false });
  return signal.aborted ? aborted() : undefined;
}

/** Ends them, and says which they were. */
async function strays() {
  const { processesMarked } = await import('../dist/local/test-report.js');
  const until = Date.now() + STRAYS_END_WITHIN_MS;
  while (processesMarked(mark).length > 0 && Date.now() < until) await delay(100);
  return processesMarked(mark).map(({ pid, command }) => {
    endQuietly(pid);
    return `left running (now ended): process ${pid}, ${command}`;
  });
}

function endQuietly(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function reportAndExit() {
  const { report, problems } = outcome;
  if (problems.length > 0) console.error(`\n${problems.map((problem) => `✗ ${problem}`).join('\n')}`);
  const failed = (report?.numFailedTests ?? 0) + problems.length;
  // Written before leaving, also into a pipe: it is the last line and somebody may parse it.
  await new Promise((resolve) =>
    process.stdout.write(`${report?.numPassedTests ?? 0} passed, ${failed} failed\n`, resolve),
  );
  process.exit(failed === 0 ? 0 : 1);
}
