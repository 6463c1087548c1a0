import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What `npm test` hands to every spec. */
export function required(name: 'TEST_DATABASE_ADMIN_URL' | 'TEST_DATABASE_TEMPLATE' | 'TEST_REDIS_URL'): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing: run specs through npm test -- <pattern>`);
  return value;
}

/** Each worker of jest has a Redis database of its own. */
export function testRedisUrl(): string {
  return `${required('TEST_REDIS_URL')}/${process.env.JEST_WORKER_ID ?? '1'}`;
}

/** The environment of a product process under test; rate limits are lifted unless a spec is about them. */
export function productEnvironment(
  databaseUrl: string,
  overrides: Record<string, string | undefined> = {},
): Record<string, string> {
  const environment = {
    DATABASE_URL: databaseUrl,
    DATABASE_POOL_SIZE: '10',
    REDIS_URL: testRedisUrl(),
    IPM_DATA_DIR: mkdtempSync(path.join(tmpdir(), 'ipm-spec-')),
    IPM_SECRET: 'a secret of the test suite, long enough to be one',
    IPM_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    IPM_PUBLIC_URL: 'https://ipm.example',
    LOG_LEVEL: 'silent',
    PORT: '0',
    RATE_LIMIT_SESSION_PER_MIN: '1000000',
    RATE_LIMIT_KEY_PER_MIN: '1000000',
    RATE_LIMIT_BULK_PER_MIN: '1000000',
    RATE_LIMIT_FEED_PER_MIN: '1000000',
    RATE_LIMIT_FAILED_LOGIN_PER_MIN: '1000000',
    ...overrides,
  };
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
