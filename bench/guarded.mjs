import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../dist/local/free-port.js';
import { DurableStores } from './durable-stores.mjs';
import { answersOk, call, startIpm } from './ipm-server.mjs';
import { load } from './load.mjs';
import { profiled } from './profile.mjs';
import { figure, judged } from './report.mjs';

const OPERATION = 'pagination/get';
const WARM_UP_SECONDS = 5;
const bareProgram = path.join(import.meta.dirname, 'bare-nest/server.mjs');

export async function measure({ runs = 5, seconds = 8, connections = 64, profile }, progress) {
  const stores = await DurableStores.start(progress);
  const redis = new Redis(stores.redisUrl);
  try {
    const ipm = await startIpm(stores);
    const answer = await call(ipm, OPERATION, {});
    const bare = await startBare(stores, answer);
    const run = (target, length = seconds) =>
      load({ ...target, url: `${target.base}/ipm/${OPERATION}`, body: '{}', seconds: length, connections });
    for (const target of [bare, ipm]) await run(target, WARM_UP_SECONDS);
    const pairs = [];
    for (let i = 1; i <= runs; i += 1) {
      const ofBare = await run(bare);
      const questionsBefore = await scriptCalls(redis);
      const ofIpm = await run(ipm);
      pairs.push({ bare: ofBare, ipm: ofIpm, questions: (await scriptCalls(redis)) - questionsBefore });
      progress(
        `pair ${i}: bare ${ofBare.perSecond.toFixed(0)}/s, IPM ${ofIpm.perSecond.toFixed(0)}/s, ratio ${ratio(pairs.at(-1)).toFixed(3)}`,
      );
    }
    const { figures, notes } = judged(
      figuresOf(pairs),
      pairs.flatMap((pair) => [pair.bare, pair.ipm]),
    );
    const profileLines = profile ? await profiled(stores, 'guarded', run, progress) : [];
    return { how: how({ seconds, connections, answer }), figures, notes: [...notes, ...profileLines] };
  } finally {
    redis.disconnect();
    await stores.stop();
  }
}

async function startBare(stores, answer) {
  const port = await freePort();
  const server = stores.launch('bare-nest', [bareProgram], {
    NODE_ENV: 'production',
    PORT: String(port),
    BARE_ANSWER: answer,
  });
  const base = `http://127.0.0.1:${port}`;
  const headers = { 'content-type': 'application/json' };
  const probe = { method: 'POST', headers, body: '{}' };
  await server.waitUntil(() => answersOk(`${base}/ipm/${OPERATION}`, probe), 30_000);
  return { pid: server.pid, base, headers };
}

function ratio({ ipm, bare }) {
  return ipm.perSecond / bare.perSecond;
}

function figuresOf(pairs) {
  const of = (pick) => pairs.map(pick);
  const questions = of((pair) => (1000 * pair.questions) / pair.ipm.answers);
  return [
    figure('IPM / bare', 'ratio', of(ratio), { atLeast: 0.4, digits: 3 }),
    ...figuresOfOne(
      'bare Nest on Fastify',
      of(({ bare }) => bare),
    ),
    ...figuresOfOne(
      'IPM, guarded',
      of(({ ipm }) => ipm),
    ),
    figure('questions to Redis per 1000 requests', 'calls', questions, { digits: 1 }),
  ];
}

function figuresOfOne(name, results) {
  const of = (pick) => results.map(pick);
  const isCpuKnown = results.every(({ serverCoreShare }) => serverCoreShare !== undefined);
  const cpuMicros = of(({ serverCoreShare, perSecond }) => (serverCoreShare / perSecond) * 1e6);
  const serverShare = of(({ serverCoreShare }) => serverCoreShare);
  const generatorShare = of(({ generatorCoreShare }) => generatorCoreShare);
  return [
    figure(
      name,
      'req/s',
      of(({ perSecond }) => perSecond),
    ),
    figure(
      '  p50',
      'ms',
      of(({ p50Ms }) => p50Ms),
    ),
    figure(
      '  p99',
      'ms',
      of(({ p99Ms }) => p99Ms),
    ),
    ...(isCpuKnown ? [figure('  CPU of the server', 'us/req', cpuMicros, { digits: 1 })] : []),
    ...(isCpuKnown ? [figure('  cores busy: server', 'cores', serverShare, { digits: 2 })] : []),
    figure('  cores busy: load generator', 'cores', generatorShare, { digits: 2 }),
  ];
}

/** How often a script ran in Redis; counting costs nothing, unlike MONITOR. */
async function scriptCalls(redis) {
  const stats = await redis.info('commandstats');
  return [...stats.matchAll(/^cmdstat_(?:eval|evalsha|fcall):calls=(\d+)/gm)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

function how({ seconds, connections, answer }) {
  return [
    `POST /ipm/${OPERATION} with an API key and limits lifted, body {}, role all; autocannon, ${connections} connections, ${seconds} s a run`,
    'bare and IPM run alternately; the ratio is taken pair by pair',
    `bare: the same Nest and Fastify, body parsed, the same answer (${Buffer.byteLength(answer)} bytes) as an object; nothing else`,
  ];
}
