import { spawn } from 'node:child_process';
import path from 'node:path';
import { EVENT_BYTES } from './events.mjs';
import { cpuSeconds, familyCpuSeconds, machineCpuSeconds } from './machine.mjs';

const generator = path.join(import.meta.dirname, 'raw-load-generator.mjs');

/** Publishing with `events` a call: what raw-load-generator.mjs is asked for. */
export function publishing(events, eventBytes = EVENT_BYTES) {
  return { operation: 'event/publish', events, eventBytes, expect: `"accepted":${events},"duplicate":0` };
}

/** One run of raw-load-generator.mjs against a server. Throws unless every answer is well. Answers rate, latencies and usage. */
export async function rawLoad(server, load) {
  const result = await underLoad(server, generator, { port: server.port, ...load });
  return { ...result, perSecond: result.calls / result.wallSeconds };
}

/**
 * Runs a load generator in a process of its own. Answers what it answers, and how much of a core each part used; `otherCores` is
 * what the machine did beside them.
 */
export async function underLoad({ pid, postgresPid, redisPid }, program, load) {
  const before = usage({ pid, postgresPid, redisPid });
  const begun = performance.now();
  const { cpuSeconds: generatorSeconds, ...result } = await generate(program, load);
  const wallSeconds = (performance.now() - begun) / 1000;
  const after = usage({ pid, postgresPid, redisPid });
  const used = Object.fromEntries(Object.keys(after).map((part) => [part, (after[part] - before[part]) / wallSeconds]));
  const generatorCores = generatorSeconds / wallSeconds;
  return {
    ...result,
    serverCores: used.server,
    postgresCores: used.postgres,
    generatorCores,
    otherCores: used.machine - used.server - used.postgres - used.redis - used.bench - generatorCores,
  };
}

function usage({ pid, postgresPid, redisPid }) {
  const { user, system } = process.cpuUsage();
  return {
    machine: machineCpuSeconds() ?? Number.NaN,
    server: cpuSeconds(pid) ?? Number.NaN,
    postgres: postgresPid === undefined ? 0 : (familyCpuSeconds(postgresPid) ?? Number.NaN),
    redis: redisPid === undefined ? 0 : (cpuSeconds(redisPid) ?? Number.NaN),
    bench: (user + system) / 1e6,
  };
}

function generate(program, load) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [output, complaint] = ['', ''];
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (complaint += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`the load generator failed: ${complaint}`)),
    );
    child.stdin.end(JSON.stringify(load));
  });
}
