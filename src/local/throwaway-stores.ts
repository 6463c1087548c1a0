import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { migrate } from '../platform/database/migrate.js';
import { newPassword } from './credentials.js';
import { projectFolder } from './data-folder.js';
import { PostgresServer } from './postgres-server.js';
import { ProcessRecords } from './process-records.js';
import { findRedis, redisCacheFolder } from './redis-binary.js';
import { RedisServer } from './redis-server.js';
import { removeFolder } from './remove-folder.js';
import { accountForPostgres, temporaryFolderFor } from './server-account.js';
import { Watchdog } from './watchdog-link.js';

const TEMPLATE = 'ipm_template';

/** A Postgres with a migrated template database and a Redis, for one run of the tests: fast, and gone afterwards. */
export class ThrowawayStores {
  readonly adminUrl: string;
  readonly redisUrl: string;
  readonly template = TEMPLATE;

  private constructor(
    readonly folder: string,
    readonly records: ProcessRecords,
    private readonly watchdog: Watchdog,
    postgres: PostgresServer,
    redis: RedisServer,
  ) {
    this.adminUrl = postgres.url();
    this.redisUrl = redis.url();
  }

  static async start(progress: (line: string) => void, stopping?: AbortSignal): Promise<ThrowawayStores> {
    const folder = temporaryFolderFor(accountForPostgres(''), 'ipm-test-');
    const watchdog = new Watchdog(path.join(folder, 'watchdog.log'));
    watchdog.removeFolderAfterwards(folder);
    const records = new ProcessRecords(path.join(folder, 'processes.json'), watchdog);
    try {
      const [postgres, redis] = await bothOrNone(
        startPostgres(folder, records, stopping),
        startRedis(folder, records, progress, stopping),
      );
      return new ThrowawayStores(folder, records, watchdog, postgres, redis);
    } catch (error) {
      await clear(folder, records, watchdog);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await clear(this.folder, this.records, this.watchdog);
  }
}

async function startPostgres(folder: string, records: ProcessRecords, stopping?: AbortSignal): Promise<PostgresServer> {
  const postgres = await PostgresServer.start({
    cluster: path.join(folder, 'postgres'),
    password: newPassword(),
    durable: false,
    rememberedPort: undefined,
    logFile: path.join(folder, 'postgres.log'),
    records,
    stopping,
  });
  await postgres.ensureDatabase(TEMPLATE);
  await migrate({ connectionString: postgres.url(TEMPLATE), directory: path.join(projectFolder, 'prisma/migrations') });
  return postgres;
}

async function startRedis(
  folder: string,
  records: ProcessRecords,
  progress: (line: string) => void,
  stopping?: AbortSignal,
): Promise<RedisServer> {
  const files = path.join(folder, 'redis');
  mkdirSync(files);
  return RedisServer.start({
    binary: await findRedis({
      path: process.env.PATH ?? '',
      cacheFolder: redisCacheFolder(process.env),
      stopping,
      progress,
    }),
    folder: files,
    password: newPassword(),
    databases: 64,
    rememberedPort: undefined,
    logFile: path.join(folder, 'redis.log'),
    records,
    stopping,
  });
}

/** Waits for both also when one fails, so that nothing starts after the clearing away. */
async function bothOrNone<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

async function clear(folder: string, records: ProcessRecords, watchdog: Watchdog): Promise<void> {
  await records.stopAll();
  await watchdog.finish();
  await removeFolder(folder);
}
