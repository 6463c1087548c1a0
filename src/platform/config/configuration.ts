import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ObjectStoreConfiguration } from '../object-store/object-store-options.js';
import { readBootstrap, readOperatorKey, type Bootstrap } from './bootstrap-configuration.js';
import { EnvironmentReader, type Environment } from './environment-reader.js';
import { readIdentityConfiguration, type IdentityConfiguration } from './identity-configuration.js';
import { readInboxConfiguration, type InboxConfiguration } from './inbox-configuration.js';
import { readTracingConfiguration, type TracingConfiguration } from './tracing-configuration.js';
import { readSecretsFile } from './secrets-file.js';

export const ROLES_OF_A_PROCESS = ['api', 'worker', 'all'] as const;
export type ProcessRole = (typeof ROLES_OF_A_PROCESS)[number];

export interface RateLimits {
  session: number;
  key: number;
  bulk: number;
  feed: number;
  failedLogin: number;
}

export interface DatabaseConfiguration {
  /** Serves; never has to own a table. */
  url: string;
  /** Migrates; the same as `url` unless given. */
  ownerUrl: string;
  poolSize: number;
}

export interface EventsConfiguration {
  /** Older ones are history when they arrive: in the log, and not pushed. */
  maxPushAgeSeconds: number;
  retentionDays: number;
  /** As long as retention waits for routers and jobs that still read. */
  retentionMaxDays: number;
  partitionSize: number;
}

export interface OutgoingConfiguration {
  /** Networks that calls to addresses of tenants may reach although they are not public. */
  allowedNetworks: readonly string[];
  allowHttp: boolean;
  /** Certificates that are trusted beside the public ones, as PEM. */
  ca: string | undefined;
}

/** How deliveries are tried, where a webhook says nothing else. */
export interface DeliveryConfiguration {
  /** Seconds before each attempt, the first included. */
  retrySchedule: readonly number[];
  /** Of waiting, without pauses. */
  maxAgeSeconds: number;
  autoPause: { failures: number; after_seconds: number };
  /** So long a worker has deliveries to itself before they count as lost with it, unless it says that it lives. */
  leaseSeconds: number;
}

/** Imports and exports. */
export interface BulkConfiguration {
  /** At work at the same time; the others queue. */
  jobsOfAnOrganisation: number;
  jobsOfAWorker: number;
  /** How long files of an ended job are kept. */
  fileDays: number;
  /** So long a worker has a job to itself unless it says that it lives: what a crash costs. */
  leaseSeconds: number;
  /** An object store that is away for longer ends the jobs that need it; `continue` takes them up. */
  storePatienceSeconds: number;
}

export interface SecretsConfiguration {
  secret: string;
  encryptionKeys: string;
}

/** Everything the process reads from outside, parsed once; the class is also the injection token. Nothing else reads the environment. */
export abstract class Configuration {
  abstract readonly role: ProcessRole;
  abstract readonly host: string;
  abstract readonly port: number;
  abstract readonly publicUrl: string;
  abstract readonly docs: boolean;
  abstract readonly logLevel: string;
  /** Whoever shows it may read /metrics; without one nobody may. */
  abstract readonly metricsToken: string | undefined;
  /** Without it nothing is traced. */
  abstract readonly tracing: TracingConfiguration | undefined;
  abstract readonly trustedProxies: readonly string[];
  abstract readonly stopGraceSeconds: number;
  abstract readonly database: DatabaseConfiguration;
  abstract readonly redisUrl: string;
  abstract readonly objectStore: ObjectStoreConfiguration;
  abstract readonly secrets: SecretsConfiguration;
  abstract readonly rateLimits: RateLimits;
  abstract readonly events: EventsConfiguration;
  abstract readonly outgoing: OutgoingConfiguration;
  abstract readonly delivery: DeliveryConfiguration;
  abstract readonly bulk: BulkConfiguration;
  abstract readonly inbox: InboxConfiguration;
  abstract readonly identity: IdentityConfiguration;
  abstract readonly bootstrap: Bootstrap | undefined;
  /** Opens the rooms of operators; without one nobody comes in as an operator. */
  abstract readonly operatorKey: string | undefined;
}

const POSTGRES = ['postgresql:', 'postgres:'];

export function readConfiguration(environment: Environment): Configuration {
  const read = new EnvironmentReader(environment);
  const port = read.integer('PORT', 3000, { min: 0, max: 65_535 });
  const databaseUrl = read.requiredUrl(
    'DATABASE_URL',
    POSTGRES,
    'the Postgres to serve from, postgresql://user:password@host:5432/ipm',
  );
  const bootstrap = readBootstrap(read);
  const configuration: Configuration = {
    role: read.oneOf('IPM_ROLE', ROLES_OF_A_PROCESS, 'all'),
    host: read.text('HOST', '127.0.0.1'),
    port,
    publicUrl: (read.url('IPM_PUBLIC_URL', ['http:', 'https:']) ?? `http://127.0.0.1:${port}`).replace(/\/+$/, ''),
    docs: read.oneOf('IPM_DOCS', ['on', 'off'], 'off') === 'on',
    logLevel: read.oneOf('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    metricsToken: read.secret('METRICS_TOKEN', 16),
    tracing: readTracingConfiguration(read),
    trustedProxies: read.networks('TRUST_PROXY'),
    stopGraceSeconds: read.integer('STOP_GRACE_SECONDS', 15, { min: 1, max: 600 }),
    database: {
      url: databaseUrl,
      ownerUrl: read.url('DATABASE_OWNER_URL', POSTGRES) ?? databaseUrl,
      poolSize: read.integer('DATABASE_POOL_SIZE', 20, { min: 2, max: 500 }),
    },
    redisUrl: read.requiredUrl(
      'REDIS_URL',
      ['redis:', 'rediss:'],
      'the Redis for wake-ups and rate limits, redis://host:6379',
    ),
    objectStore: readObjectStore(read),
    secrets: readSecrets(read),
    rateLimits: readRateLimits(read),
    events: readEvents(read),
    outgoing: readOutgoing(read),
    delivery: readDelivery(read),
    bulk: readBulk(read),
    inbox: readInboxConfiguration(read),
    identity: readIdentityConfiguration(read),
    bootstrap,
    operatorKey: readOperatorKey(read, bootstrap),
  };
  read.finish();
  return deepFreeze(configuration);
}

function readObjectStore(read: EnvironmentReader): ObjectStoreConfiguration {
  const endpoint = read.url('S3_ENDPOINT', ['http:', 'https:']);
  if (endpoint === undefined)
    return { kind: 'folder', folder: path.resolve(read.text('IPM_DATA_DIR', '.ipm'), 'objects') };
  return {
    kind: 's3',
    endpoint,
    publicEndpoint: read.url('S3_PUBLIC_ENDPOINT', ['http:', 'https:']) ?? endpoint,
    region: read.text('S3_REGION', 'us-east-1'),
    bucket: read.required('S3_BUCKET', 'the bucket for imports and exports'),
    accessKeyId: read.required('S3_ACCESS_KEY_ID', 'the key for S3_ENDPOINT'),
    secretAccessKey: read.required('S3_SECRET_ACCESS_KEY', 'the secret for S3_ENDPOINT'),
  };
}

function readBulk(read: EnvironmentReader): BulkConfiguration {
  return {
    jobsOfAnOrganisation: read.integer('BULK_JOBS_PER_ORGANISATION', 2, { min: 1, max: 100 }),
    jobsOfAWorker: read.integer('BULK_JOBS_PER_WORKER', 2, { min: 1, max: 32 }),
    fileDays: read.integer('BULK_FILE_DAYS', 30, { min: 1, max: TEN_YEARS }),
    leaseSeconds: read.integer('BULK_LEASE_SECONDS', 10, { min: 2, max: 600 }),
    storePatienceSeconds: read.integer('BULK_STORE_PATIENCE_SECONDS', 600, { min: 1, max: DAY_SECONDS }),
  };
}

function readSecrets(read: EnvironmentReader): SecretsConfiguration {
  const file = read.text('IPM_SECRETS_FILE');
  const kept = file === undefined ? undefined : secretsFrom(file, read);
  const secret = read.secret('IPM_SECRET', 32) ?? kept?.secret;
  const encryptionKeys = read.text('IPM_ENCRYPTION_KEYS') ?? kept?.encryption_keys;
  if (secret === undefined) read.problem('IPM_SECRET', 'is missing: 32 characters or more, or IPM_SECRETS_FILE');
  if (encryptionKeys === undefined)
    read.problem('IPM_ENCRYPTION_KEYS', `is missing: ${KEY_RING_FORM}, or IPM_SECRETS_FILE`);
  else if (!encryptionKeys.split(',').every(isKeyRingEntry))
    read.problem('IPM_ENCRYPTION_KEYS', `must be ${KEY_RING_FORM}`);
  else if (new Set(keyIdsIn(encryptionKeys)).size < keyIdsIn(encryptionKeys).length)
    read.problem('IPM_ENCRYPTION_KEYS', 'names a kid twice');
  return { secret: secret ?? '', encryptionKeys: encryptionKeys ?? '' };
}

const KEY_RING_FORM = 'kid:base64 of 32 bytes, newest first, comma-separated';

function isKeyRingEntry(entry: string): boolean {
  const [, key = ''] = /^[A-Za-z0-9_-]{1,16}:([A-Za-z0-9+/]+=*)$/.exec(entry.trim()) ?? [];
  return Buffer.from(key, 'base64').length === 32;
}

function keyIdsIn(encryptionKeys: string): (string | undefined)[] {
  return encryptionKeys.split(',').map((entry) => entry.trim().split(':')[0]);
}

function secretsFrom(file: string, read: EnvironmentReader): ReturnType<typeof readSecretsFile> | undefined {
  try {
    return readSecretsFile(file);
  } catch (error) {
    read.problem('IPM_SECRETS_FILE', `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function readRateLimits(read: EnvironmentReader): RateLimits {
  const perMinute = (name: string, fallback: number): number =>
    read.integer(`RATE_LIMIT_${name}_PER_MIN`, fallback, { min: 1, max: 100_000_000 });
  return {
    session: perMinute('SESSION', 600),
    key: perMinute('KEY', 1_200),
    bulk: perMinute('BULK', 120),
    feed: perMinute('FEED', 60_000),
    failedLogin: perMinute('FAILED_LOGIN', 60),
  };
}

const DAY_SECONDS = 24 * 60 * 60;
const TEN_YEARS = 3_650;

function readEvents(read: EnvironmentReader): EventsConfiguration {
  const retentionDays = read.integer('EVENT_RETENTION_DAYS', 400, { min: 1, max: TEN_YEARS });
  const retentionMaxDays = read.integer('EVENT_RETENTION_MAX_DAYS', retentionDays + 30, {
    min: 1,
    max: TEN_YEARS + 30,
  });
  if (retentionMaxDays < retentionDays)
    read.problem('EVENT_RETENTION_MAX_DAYS', 'must not be less than EVENT_RETENTION_DAYS');
  return {
    maxPushAgeSeconds: read.integer('WEBHOOK_MAX_EVENT_AGE', DAY_SECONDS, { min: 1, max: 366 * DAY_SECONDS }),
    retentionDays,
    retentionMaxDays,
    partitionSize: read.integer('EVENT_PARTITION_SIZE', 5_000_000, { min: 1_000, max: 100_000_000 }),
  };
}

function readOutgoing(read: EnvironmentReader): OutgoingConfiguration {
  const caFile = read.text('WEBHOOK_CA_FILE');
  return {
    allowedNetworks: read.networks('WEBHOOK_ALLOW_PRIVATE_NETWORKS'),
    allowHttp: read.oneOf('WEBHOOK_ALLOW_HTTP', ['true', 'false'], 'false') === 'true',
    ca: caFile === undefined ? undefined : readCertificates(read, caFile),
  };
}

const RETRY_SCHEDULE = '0,5,30,120,600,1800,3600,10800,25200,43200';
const MAX_ATTEMPTS = 20;

function readDelivery(read: EnvironmentReader): DeliveryConfiguration {
  const schedule = read.text('WEBHOOK_RETRY_SCHEDULE', RETRY_SCHEDULE);
  const seconds = schedule.split(',').map((entry) => (entry.trim() === '' ? NaN : Number(entry)));
  if (seconds.length > MAX_ATTEMPTS || !seconds.every((wait) => wait >= 0 && wait <= DAY_SECONDS))
    read.problem(
      'WEBHOOK_RETRY_SCHEDULE',
      `must be seconds before each attempt, comma-separated: 1 to ${MAX_ATTEMPTS}, each 0 to ${DAY_SECONDS}`,
    );
  return {
    retrySchedule: seconds,
    maxAgeSeconds: read.integer('WEBHOOK_DELIVERY_MAX_AGE', 3 * DAY_SECONDS, { min: 1, max: 366 * DAY_SECONDS }),
    autoPause: {
      failures: read.integer('WEBHOOK_AUTO_PAUSE_FAILURES', 20, { min: 1, max: 1_000_000 }),
      after_seconds: read.integer('WEBHOOK_AUTO_PAUSE_AFTER_SECONDS', DAY_SECONDS / 4, {
        min: 0,
        max: 366 * DAY_SECONDS,
      }),
    },
    leaseSeconds: read.integer('DELIVERY_LEASE_SECONDS', 60, { min: 5, max: 600 }),
  };
}

function readCertificates(read: EnvironmentReader, file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    read.problem('WEBHOOK_CA_FILE', `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
