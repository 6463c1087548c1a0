import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfiguration } from './configuration.js';
import { BadConfiguration } from './environment-reader.js';

const KEY_RING = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
const GOOD = {
  DATABASE_URL: 'postgresql://ipm@localhost/ipm',
  REDIS_URL: 'redis://localhost:6379',
  IPM_SECRET: 's'.repeat(32),
  IPM_ENCRYPTION_KEYS: KEY_RING,
};
const WITH_JWT = {
  ...GOOD,
  JWT_JWKS_URL: 'https://id.example/jwks',
  JWT_ISSUER: 'https://id.example',
  JWT_AUDIENCE: 'ipm',
};
const WITH_S3 = {
  ...GOOD,
  S3_ENDPOINT: 'http://localhost:9000',
  S3_BUCKET: 'b',
  S3_ACCESS_KEY_ID: 'i',
  S3_SECRET_ACCESS_KEY: 's',
};
const WITH_BOOTSTRAP = { ...GOOD, IPM_BOOTSTRAP_ORGCODE: 'acme', IPM_BOOTSTRAP_API_KEY: 'b'.repeat(32) };

function problemsOf(environment: Record<string, string | undefined>): readonly string[] {
  try {
    readConfiguration(environment);
    return [];
  } catch (error) {
    if (error instanceof BadConfiguration) return error.problems;
    throw error;
  }
}

describe('readConfiguration', () => {
  it('takes the least that is needed, and says what it then is', () => {
    expect(readConfiguration(GOOD)).toEqual({
      role: 'all',
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://127.0.0.1:3000',
      docs: false,
      logLevel: 'info',
      trustedProxies: [],
      stopGraceSeconds: 15,
      database: { url: GOOD.DATABASE_URL, ownerUrl: GOOD.DATABASE_URL, poolSize: 20 },
      redisUrl: GOOD.REDIS_URL,
      objectStore: { kind: 'folder', folder: path.resolve('.ipm/objects') },
      secrets: { secret: GOOD.IPM_SECRET, encryptionKeys: KEY_RING },
      rateLimits: { session: 600, key: 1_200, bulk: 120, feed: 60_000, failedLogin: 60 },
      events: { maxPushAgeSeconds: 86_400, retentionDays: 400, retentionMaxDays: 430, partitionSize: 5_000_000 },
      outgoing: { allowedNetworks: [], allowHttp: false, ca: undefined },
      inbox: { urls: {}, signingSecret: undefined },
      bulk: { jobsOfAnOrganisation: 2, jobsOfAWorker: 2, fileDays: 30, leaseSeconds: 10, storePatienceSeconds: 600 },
      delivery: {
        retrySchedule: [0, 5, 30, 120, 600, 1_800, 3_600, 10_800, 25_200, 43_200],
        maxAgeSeconds: 259_200,
        autoPause: { failures: 20, after_seconds: 21_600 },
        leaseSeconds: 60,
      },
      identity: { introspectionUrl: undefined, jwt: undefined },
      bootstrap: undefined,
    });
  });

  it('says what is missing, all at once', () => {
    expect(problemsOf({}).map((problem) => problem.split(' ')[0])).toEqual([
      'DATABASE_URL',
      'REDIS_URL',
      'IPM_SECRET',
      'IPM_ENCRYPTION_KEYS',
    ]);
  });

  it("keeps the key of operators, which is nobody else's", () => {
    const environment = { ...WITH_BOOTSTRAP, API_KEY: 'o'.repeat(32) };
    expect(readConfiguration(environment)).toMatchObject({
      operatorKey: 'o'.repeat(32),
      bootstrap: { orgcode: 'acme' },
    });
    expect(readConfiguration(GOOD).operatorKey).toBeUndefined();
  });

  it('counts an empty or blank value as unset', () => {
    expect(readConfiguration({ ...GOOD, PORT: '', IPM_ROLE: ' ', JWT_JWKS_URL: '' })).toEqual(readConfiguration(GOOD));
    expect(problemsOf({ ...GOOD, DATABASE_URL: '  ' })).toHaveLength(1);
  });

  it.each<[name: string, values: string[], environment?: Record<string, string>]>([
    ['PORT', ['-1', '65536', '80.5', '1e3', '0x50', 'http', '3000 4000']],
    ['IPM_ROLE', ['API', 'boss', 'api,worker']],
    ['IPM_DOCS', ['true', '1', 'ON']],
    ['LOG_LEVEL', ['verbose', 'INFO']],
    ['IPM_PUBLIC_URL', ['ipm.example', 'ftp://ipm.example', '//ipm.example']],
    ['TRUST_PROXY', ['10.0.0.1', '10.0.0.0/33', 'all', '10.0.0.0/8,nonsense', '::1/129', '10.0.0.0/-1', '10.0.0/8']],
    ['STOP_GRACE_SECONDS', ['0', '601', 'soon']],
    ['DATABASE_URL', ['nonsense', 'mysql://localhost/ipm', 'localhost:5432/ipm']],
    ['DATABASE_OWNER_URL', ['nonsense', 'http://localhost']],
    ['DATABASE_POOL_SIZE', ['1', '501', '-5', 'many']],
    ['REDIS_URL', ['localhost:6379', 'http://localhost', 'nonsense']],
    ['S3_ENDPOINT', ['localhost:9000', 's3://bucket'], WITH_S3],
    ['S3_BUCKET', [''], WITH_S3],
    ['S3_ACCESS_KEY_ID', [''], WITH_S3],
    ['S3_SECRET_ACCESS_KEY', [''], WITH_S3],
    ['IPM_SECRET', ['short', 's'.repeat(31)]],
    [
      'IPM_ENCRYPTION_KEYS',
      [
        'k1',
        'k1:',
        'k1:c2hvcnQ=',
        `:${KEY_RING.slice(3)}`,
        `k 1${KEY_RING.slice(2)}`,
        `${KEY_RING},`,
        `${KEY_RING},${KEY_RING}`,
        `${'k'.repeat(17)}${KEY_RING.slice(2)}`,
      ],
    ],
    ['RATE_LIMIT_SESSION_PER_MIN', ['0', '-1', 'none', '100000001']],
    ['RATE_LIMIT_KEY_PER_MIN', ['0', '1.5']],
    ['RATE_LIMIT_BULK_PER_MIN', ['0', 'x']],
    ['RATE_LIMIT_FEED_PER_MIN', ['0', '∞']],
    ['RATE_LIMIT_FAILED_LOGIN_PER_MIN', ['0', ' - ']],
    ['WEBHOOK_MAX_EVENT_AGE', ['0', '1d', '31622401']],
    ['WEBHOOK_RETRY_SCHEDULE', [',', '0,5,', '-1', '0;5', '86401', 'soon', Array(21).fill('1').join(',')]],
    ['WEBHOOK_DELIVERY_MAX_AGE', ['0', '1d', '31622401']],
    ['WEBHOOK_AUTO_PAUSE_FAILURES', ['0', '1000001', 'never']],
    ['WEBHOOK_AUTO_PAUSE_AFTER_SECONDS', ['-1', '31622401', '6h']],
    ['DELIVERY_LEASE_SECONDS', ['4', '601', '1m']],
    ['BULK_JOBS_PER_ORGANISATION', ['0', '101']],
    ['BULK_JOBS_PER_WORKER', ['0', '33']],
    ['BULK_FILE_DAYS', ['0', '3651', 'never']],
    ['BULK_LEASE_SECONDS', ['1', '601', '10s']],
    ['BULK_STORE_PATIENCE_SECONDS', ['0', '86401', '10m']],
    ['EVENT_RETENTION_DAYS', ['0', '3651', 'forever']],
    ['EVENT_RETENTION_MAX_DAYS', ['399', '3681']],
    ['EVENT_PARTITION_SIZE', ['999', '100000001', '5e6']],
    ['SESSION_INTROSPECTION_URL', ['id.example', 'file:///etc/passwd']],
    ['JWT_JWKS_URL', ['id.example', 'file:///jwks.json'], WITH_JWT],
    ['JWT_KEY_FILE', ['/etc/key.pem'], WITH_JWT],
    ['JWT_ISSUER', [''], WITH_JWT],
    ['JWT_AUDIENCE', [''], WITH_JWT],
    ['JWT_ALGORITHMS', ['HS256', 'none', 'RS256,HS512', 'rs256'], WITH_JWT],
    ['JWT_ROLE_MAP', ['ADMIN', 'ADMIN=', '=owner', 'ADMIN=superuser', 'ADMIN=owner,', 'ADMIN:owner'], WITH_JWT],
    ['IPM_BOOTSTRAP_ORGCODE', ['a b', 'x'.repeat(65), 'acme/1', ''], WITH_BOOTSTRAP],
    ['IPM_BOOTSTRAP_API_KEY', ['short', ''], WITH_BOOTSTRAP],
    ['API_KEY', ['short', 'b'.repeat(32)], WITH_BOOTSTRAP],
    ['METRICS_TOKEN', ['short', 't'.repeat(15)]],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ['collector:4318', 'grpc://collector']],
    ['OTEL_TRACES_SAMPLER_ARG', ['-0.1', '1.1', 'always']],
    ['OTEL_EXPORTER_OTLP_HEADERS', ['token', '=x']],
    ['IPM_SECRETS_FILE', ['/nowhere/secrets.json', '/']],
  ])('refuses a bad %s and says nothing else', (name, values, environment = GOOD) => {
    expect(problemsOf(environment)).toEqual([]);
    for (const value of values) {
      const problems = problemsOf({ ...environment, [name]: value });
      expect({ value, problems }).toEqual({ value, problems: [expect.stringContaining(name)] });
    }
  });

  it('lists every problem at once, each with its variable', () => {
    const problems = problemsOf({
      ...WITH_S3,
      PORT: 'x',
      IPM_ROLE: 'x',
      TRUST_PROXY: 'x,y',
      S3_BUCKET: '',
      IPM_SECRET: 'x',
      JWT_KEY_FILE: 'f',
      RATE_LIMIT_KEY_PER_MIN: 'x',
      API_KEY: 'x',
    });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'IPM_ROLE',
      'TRUST_PROXY',
      'TRUST_PROXY',
      'S3_BUCKET',
      'IPM_SECRET',
      'RATE_LIMIT_KEY_PER_MIN',
      'JWT_ISSUER',
      'JWT_AUDIENCE',
      'API_KEY',
    ]);
    expect(() => readConfiguration({})).toThrow(
      /^The configuration has 4 problem\(s\):\n {2}- DATABASE_URL is missing: /,
    );
  });

  it('tells no secret when it is refused', () => {
    const secrets = {
      IPM_SECRET: 'hunter-two',
      IPM_ENCRYPTION_KEYS: 'k1:aHVudGVyLXR3bw==',
      IPM_BOOTSTRAP_API_KEY: 'hunter-two',
      API_KEY: 'hunter-two',
      DATABASE_URL: 'mysql://u:hunter-two@h/d',
      REDIS_URL: 'http://:hunter-two@h',
    };
    expect(problemsOf({ ...GOOD, ...secrets }).join()).not.toMatch(/hunter|aHVudGVy/);
  });

  it('is frozen to its depths', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    for (const environment of [GOOD, WITH_JWT, WITH_S3, WITH_BOOTSTRAP])
      expect(frozen(readConfiguration(environment))).toBe(true);
    const configuration = readConfiguration(WITH_JWT);
    expect(() => Object.assign(configuration.database, { url: 'other' })).toThrow(TypeError);
    expect(() => Object.assign(configuration.identity.jwt!.roleMap, { X: 'owner' })).toThrow(TypeError);
  });

  it('reads the whole of what is configured', () => {
    expect(readConfiguration(WITH_S3).objectStore).toEqual({
      kind: 's3',
      endpoint: 'http://localhost:9000',
      publicEndpoint: 'http://localhost:9000',
      region: 'us-east-1',
      bucket: 'b',
      accessKeyId: 'i',
      secretAccessKey: 's',
    });
    expect(readConfiguration(WITH_BOOTSTRAP).bootstrap).toEqual({ orgcode: 'acme', apiKey: 'b'.repeat(32) });
    expect(readConfiguration({ ...GOOD, TRUST_PROXY: '10.0.0.0/8, ::1/128' }).trustedProxies).toEqual([
      '10.0.0.0/8',
      '::1/128',
    ]);
    expect(readConfiguration({ ...GOOD, IPM_PUBLIC_URL: 'https://ipm.example///' }).publicUrl).toBe(
      'https://ipm.example',
    );
    expect(readConfiguration({ ...WITH_JWT, JWT_ROLE_MAP: 'BOSS=owner, CLERK = auditor' }).identity.jwt).toEqual({
      issuer: 'https://id.example',
      audience: 'ipm',
      algorithms: ['RS256', 'ES256'],
      keys: { url: 'https://id.example/jwks' },
      tenantClaim: 'tenant_id',
      actorClaim: 'user_id',
      rolesClaim: 'roles',
      roleMap: { BOSS: 'owner', CLERK: 'auditor' },
    });
  });

  describe('with a secrets file', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'ipm-configuration-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    const withFile = (text: string): Record<string, string> => {
      const file = path.join(folder, 'secrets.json');
      writeFileSync(file, text);
      return { DATABASE_URL: GOOD.DATABASE_URL, REDIS_URL: GOOD.REDIS_URL, IPM_SECRETS_FILE: file };
    };

    it('takes from it what the environment does not give', () => {
      const file = withFile(JSON.stringify({ secret: 'f'.repeat(40), encryption_keys: KEY_RING }));
      expect(readConfiguration(file).secrets).toEqual({ secret: 'f'.repeat(40), encryptionKeys: KEY_RING });
      expect(readConfiguration({ ...file, IPM_SECRET: 'e'.repeat(40) }).secrets.secret).toBe('e'.repeat(40));
    });

    it.each([
      '',
      'hunter-two',
      '{"secret": "hunter-two',
      'null',
      '[]',
      '{"secret":7}',
      JSON.stringify({ secret: 'hunter-two', encryption_keys: KEY_RING }),
    ])('refuses %j without showing it', (text) => {
      const problems = problemsOf(withFile(text));
      expect(problems[0]).toMatch(/^IPM_SECRETS_FILE cannot be read: .*secrets\.json must hold "secret"/);
      expect(problems.join()).not.toContain('hunter');
    });
  });
});
