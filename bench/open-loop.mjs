import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { percentile } from './report.mjs';

const CONNECTIONS = 256;

/**
 * Calls at a fixed rate, whether earlier ones are answered or not, each timed from when it was due: a server that stands still for
 * a second is a second late for everybody who came meanwhile. `next(i)` says what the i-th is.
 */
export async function openLoop({ base, headers }, { rate, seconds, next }) {
  const pool = new Pool(base, { connections: CONNECTIONS, pipelining: 1 });
  const latencies = [];
  const problems = [];
  const one = async (dueMs, { operation, body, method = 'POST', headers: own = headers }) => {
    const answer = await pool.request({
      path: `/ipm/${operation}`,
      method,
      headers: own,
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    latencies.push(performance.now() - dueMs);
    if (answer.statusCode !== 200) problems.push(`${operation} ${answer.statusCode} ${text.slice(0, 200)}`);
  };
  const beginMs = performance.now();
  const calls = [];
  for (let i = 0; i < rate * seconds; i += 1) {
    const dueMs = beginMs + (i * 1_000) / rate;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 1) await sleep(aheadMs);
    calls.push(one(dueMs, next(i)));
  }
  await Promise.all(calls);
  const tookMs = performance.now() - beginMs;
  await pool.close();
  if (problems.length > 0)
    throw Object.assign(new Error(`${problems.length} of ${calls.length} calls failed: ${problems[0]}`), {
      name: 'CallsFailed',
      failed: problems.length,
    });
  return {
    perSecond: (calls.length * 1_000) / tookMs,
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
  };
}
