import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { aligned } from './report.mjs';

const SHOWN = 30;

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
  return file === '' ? functionName : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}
