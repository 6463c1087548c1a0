import { setTimeout as sleep } from 'node:timers/promises';
import { DurableStores } from './durable-stores.mjs';
import { startIpm } from './ipm-server.mjs';
import { SERVING_FLAGS } from '../dist/local/serving-flags.js';
import { residentMegabytes } from './machine.mjs';
import { figure } from './report.mjs';

const PROCESSES = [
  { name: 'role all', role: 'all', nodeArgs: [], target: { atMost: 200 } },
  { name: 'role api', role: 'api', nodeArgs: [] },
  { name: 'role worker', role: 'worker', nodeArgs: [] },
  { name: 'role all, --enable-source-maps as in npm start', role: 'all', nodeArgs: ['--enable-source-maps'] },
];

export async function measure({ runs = 3, seconds = 30 }, progress) {
  const stores = await DurableStores.start(progress);
  try {
    const values = PROCESSES.map(() => []);
    for (let run = 1; run <= runs; run += 1) {
      const megabytes = await Promise.all(PROCESSES.map((process, i) => idleMegabytes(stores, process, i, seconds)));
      megabytes.forEach((value, i) => values[i].push(value));
      progress(`run ${run}: ${megabytes.map((value, i) => `${PROCESSES[i].name} ${value.toFixed(0)} MB`).join(', ')}`);
    }
    return {
      how: [
        `node ${SERVING_FLAGS.join(' ')} dist/main.js, as in the image; resident memory (ps -o rss) ${seconds} s after the launch, no call but the probe until ready; 1 MB = 1024 kB`,
      ],
      figures: PROCESSES.map(({ name, target }, i) => figure(name, 'MB', values[i], { ...target, digits: 1 })),
    };
  } finally {
    await stores.stop();
  }
}

async function idleMegabytes(stores, { role, nodeArgs }, i, seconds) {
  const ipm = await startIpm(stores, { role, nodeArgs, name: `idle-${i}`, database: `idle_${i}` });
  await sleep(seconds * 1000 - (performance.now() - ipm.launchedAt));
  const megabytes = residentMegabytes(ipm.pid);
  await ipm.server.stop();
  return megabytes;
}
