import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startIpm } from './ipm-server.mjs';
import { aligned } from './report.mjs';

const SHOWN = 30;
const WARM_UP_SECONDS = 5;

/** Runs the load once more, on a server under the CPU profiler with a database of its own: lines that say where the time goes. */
export async function profiled(stores, what, run, progress) {
  progress(`once more under the CPU profiler: ${what}`);
  const name = `profiled_${what.replaceAll(/\W+/g, '_').toLowerCase()}`;
  const folder = path.join(stores.folder, name);
  const ipm = await startIpm(stores, {
    database: name,
    name,
    nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`],
  });
  await run(ipm, WARM_UP_SECONDS);
  const from = process.hrtime.bigint();
  const { perSecond } = await run(ipm);
  const to = process.hrtime.bigint();
  await ipm.server.stop();
  const heading = `Where the time goes: ${what} (self time, without idle; ${perSecond.toFixed(0)} req/s under the profiler)`;
  return ['', heading, ...hottestFunctions(folder, { from, to })];
}

/** Of the one .cpuprofile in the folder, between two times of `process.hrtime`: the functions with the most time of their own. */
export function hottestFunctions(folder, { from, to }) {
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  const { nodes, samples, timeDeltas, startTime } = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const selfMicros = new Map();
  let at = startTime;
  for (const [i, id] of samples.entries()) {
    at += timeDeltas[i];
    if (at < from / 1000n || at > to / 1000n) continue;
    const name = nameOf.get(id);
    if (!['(idle)', '(program)', '(root)'].includes(name))
      selfMicros.set(name, (selfMicros.get(name) ?? 0) + timeDeltas[i]);
  }
  const total = [...selfMicros.values()].reduce((sum, micros) => sum + micros, 0);
  const hottest = [...selfMicros].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  return aligned(hottest.map(([name, micros]) => [`${((100 * micros) / total).toFixed(1)}%`, name]));
}

function placeOf({ functionName, url, lineNumber }) {
  const file = url.replace(/^.*\/(node_modules|dist)\//, '$1/');
  return file === ''
    ? functionName || '(generated code)'
    : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}
