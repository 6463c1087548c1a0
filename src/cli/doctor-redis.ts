import { Redis } from 'ioredis';
import { examineClock, failed, ok, type Finding } from './doctor-finding.js';

const OLDEST_VERSION = [6, 2] as const;
const TIMEOUT_MS = 3_000;

export async function examineRedis(url: string): Promise<Finding[]> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let refusal: Error | undefined;
  client.on('error', (error: Error) => (refusal ??= error)); // says why; the command only that the connection is closed
  try {
    const info = parseInfo(await client.info());
    return [
      versionFinding(info, addressOf(url)),
      evictionFinding(info),
      await examineClock('Redis', () => clockOf(client)),
    ];
  } catch (error) {
    return [notAnswering(url, refusal ?? (error as Error))];
  } finally {
    client.disconnect();
  }
}

function notAnswering(url: string, { message, code }: Error & { code?: string }): Finding {
  const refused = /NOAUTH|WRONGPASS|NOPERM/.test(message);
  const next = refused
    ? 'check user and password in REDIS_URL'
    : 'start Redis, or mend host and port in REDIS_URL; IPM serves without it, more slowly';
  return failed('Redis', `Redis at ${addressOf(url)}: ${message || code}`, next);
}

/** `INFO` is lines of `name:value` under headings. */
function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':') && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Valkey tells the version of Redis that it is compatible with under the same name. */
function versionFinding(info: ReadonlyMap<string, string>, address: string): Finding {
  const version = info.get('redis_version') ?? 'unknown';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor))
    return ok('Redis', `${version} at ${address}`);
  return failed(
    'Redis',
    `${version} at ${address}`,
    `upgrade to Redis ${OLDEST_VERSION.join('.')} or newer, or any Valkey`,
  );
}

function evictionFinding(info: ReadonlyMap<string, string>): Finding {
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy === 'noeviction') return ok('Redis memory', 'maxmemory-policy is noeviction');
  return failed('Redis memory', `maxmemory-policy is ${policy}: keys can vanish`, 'set maxmemory-policy noeviction');
}

async function clockOf(client: Redis): Promise<number> {
  const [seconds = 0, microseconds = 0] = (await client.time()).map(Number);
  return seconds * 1000 + microseconds / 1000;
}

function addressOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || '6379'}${pathname === '/' ? '' : pathname}`;
}
