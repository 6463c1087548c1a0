import { spawn } from 'node:child_process';
import path from 'node:path';
import { CpuMeter } from './cpu-meter.mjs';
import { EVENT_BYTES } from './events.mjs';

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
  const meter = new CpuMeter({ server: pid, postgres: postgresPid, redis: redisPid });
  const { cpuSeconds: generatorSeconds, ...result } = await outcomeOf(program, load);
  const used = meter.since();
  return {
    ...result,
    serverCores: used.server / used.wall,
    postgresCores: used.postgres / used.wall,
    generatorCores: generatorSeconds / used.wall,
    otherCores: (used.others - generatorSeconds) / used.wall,
  };
}

/** What a program in a process of its own, with options on stdin, answers on stdout. */
export function outcomeOf(program, load) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [output, complaint] = ['', ''];
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (complaint += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`${path.basename(program)} failed: ${complaint}`)),
    );
    child.stdin.end(JSON.stringify(load));
  });
}
