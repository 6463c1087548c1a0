import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { freePort } from '../dist/local/free-port.js';
import { SERVING_FLAGS } from '../dist/local/serving-flags.js';

const program = path.resolve(import.meta.dirname, '../dist/main.js');
const READY_WITHIN_MS = 60_000;
const NO_LIMIT = '100000000';

export const ORGCODE = 'bench';

/** IPM as it serves in production, with the limits lifted; `ready` milliseconds after its launch. */
export async function startIpm(stores, { role = 'all', database = 'ipm', nodeArgs = [], name = 'ipm' } = {}) {
  const databaseUrl = await stores.database(database);
  const port = await freePort();
  const apiKey = randomBytes(32).toString('base64url');
  const launchedAt = performance.now();
  const server = stores.launch(name, [...SERVING_FLAGS, ...nodeArgs, program], {
    NODE_ENV: 'production',
    PORT: String(port),
    IPM_ROLE: role,
    IPM_DATA_DIR: path.join(stores.folder, name),
    DATABASE_URL: databaseUrl,
    REDIS_URL: stores.redisUrl,
    IPM_SECRET: randomBytes(48).toString('base64url'),
    IPM_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    IPM_BOOTSTRAP_ORGCODE: ORGCODE,
    IPM_BOOTSTRAP_API_KEY: apiKey,
    RATE_LIMIT_KEY_PER_MIN: NO_LIMIT,
  });
  const base = `http://127.0.0.1:${port}`;
  await server.waitUntil(() => answersOk(`${base}/health/ready`), READY_WITHIN_MS);
  const headers = { 'x-api-key': apiKey, 'x-orgcode': ORGCODE, 'content-type': 'application/json' };
  return {
    server,
    pid: server.pid,
    port,
    base,
    headers,
    readyMs: performance.now() - launchedAt,
    launchedAt,
    databaseUrl,
  };
}

export async function answersOk(url, options = {}) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000), ...options });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** The answer's text; throws when it is not 2xx. */
export async function call({ base, headers }, operation, body) {
  const answer = await fetch(`${base}/ipm/${operation}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${operation} answered ${answer.status}: ${text.slice(0, 500)}`);
  return text;
}

/** What every write says of itself. */
export function writeGrounds() {
  return {
    request_context: { orgcode: ORGCODE, actor: 'bench', context_source: 'api_key' },
    reason: 'measuring',
    source_refs: [{ kind: 'bench', id: '1' }],
  };
}
