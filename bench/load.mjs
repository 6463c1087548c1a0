import { spawn } from 'node:child_process';
import path from 'node:path';
import { cpuSeconds } from './machine.mjs';

const generator = path.join(import.meta.dirname, 'load-generator.mjs');

/**
 * One run of autocannon in a process of its own. A run in which anything else than 2xx was answered measures nothing, and
 * throws. Answers the rate, the latency, and how much of one core server and generator used.
 */
export async function load({ pid, url, headers, body, seconds, connections }) {
  const cpuBefore = cpuSeconds(pid);
  const begun = performance.now();
  const result = await generate({ url, method: 'POST', headers, body, duration: seconds, connections });
  const wallSeconds = (performance.now() - begun) / 1000;
  const failed = result.non2xx + result.errors + result.timeouts + result.resets;
  if (failed > 0 || result['2xx'] === 0) {
    throw new Error(
      `${url}: ${result['2xx']} answers were 2xx, ${result.non2xx} were not, ${result.errors + result.resets} errors`,
    );
  }
  const serverCpu = cpuBefore === undefined ? undefined : cpuSeconds(pid) - cpuBefore;
  return {
    perSecond: result['2xx'] / result.duration,
    answers: result['2xx'],
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    serverCoreShare: serverCpu === undefined ? undefined : serverCpu / wallSeconds,
    generatorCoreShare: result.cpuSeconds / wallSeconds,
  };
}

function generate(options) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [generator], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(output)) : reject(new Error('the load generator failed')),
    );
    child.stdin.end(JSON.stringify(options));
  });
}
