import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '../dist/local/free-port.js';
import { SERVING_FLAGS } from '../dist/local/serving-flags.js';

const program = path.resolve(import.meta.dirname, '../dist/main.js');
const keyMaker = path.join(import.meta.dirname, 'organisations.mjs');
const READY_WITHIN_MS = 60_000;
const NO_LIMIT = '100000000';

export const ORGCODE = 'bench';

/**
 * IPM as it serves in production, with the limits lifted; `ready` milliseconds after its launch. With the `environment` of another
 * one, and its database, it is one more process of the same installation.
 */
export async function startIpm(
  stores,
  { role = 'all', database = 'ipm', nodeArgs = [], name = 'ipm', dataDir, environment: given } = {},
) {
  const databaseUrl = await stores.database(database);
  const port = await freePort();
  const environment = {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    REDIS_URL: stores.redisUrl,
    IPM_SECRET: randomBytes(48).toString('base64url'),
    IPM_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    IPM_BOOTSTRAP_ORGCODE: ORGCODE,
    IPM_BOOTSTRAP_API_KEY: randomBytes(32).toString('base64url'),
    RATE_LIMIT_KEY_PER_MIN: NO_LIMIT,
    RATE_LIMIT_FEED_PER_MIN: NO_LIMIT,
    ...given,
    PORT: String(port),
    IPM_ROLE: role,
    IPM_DATA_DIR: dataDir ?? path.join(stores.folder, name),
  };
  const launchedAt = performance.now();
  const server = stores.launch(name, [...SERVING_FLAGS, ...nodeArgs, program], environment);
  const base = `http://127.0.0.1:${port}`;
  await server.waitUntil(() => answersOk(`${base}/health/ready`), READY_WITHIN_MS);
  const apiKey = environment.IPM_BOOTSTRAP_API_KEY;
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
    environment,
    postgresPid: stores.postgres.process.pid,
    redisPid: stores.redis.process.pid,
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
  const given = await answer.text();
  if (!answer.ok) throw new Error(`${operation} answered ${answer.status}: ${given.slice(0, 500)}`);
  return given;
}

/** Headers for each of some organisations, made unless they are there, with a key that may do what the role may. */
export async function organisations({ environment, headers }, orgcodes, role = 'integration_service') {
  const child = spawn(process.execPath, [keyMaker], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ orgcodes, role }));
  const keys = JSON.parse(await text(child.stdout));
  return orgcodes.map((orgcode) => ({ ...headers, 'x-orgcode': orgcode, 'x-api-key': keys[orgcode] }));
}

/** What every write says of itself. */
export function writeGrounds(orgcode = ORGCODE) {
  return {
    request_context: { orgcode, actor: 'bench', context_source: 'api_key' },
    reason: 'measuring',
    source_refs: [{ kind: 'bench', id: '1' }],
  };
}
