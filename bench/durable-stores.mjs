import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { newPassword } from '../dist/local/credentials.js';
import { ManagedProcess } from '../dist/local/managed-process.js';
import { PostgresServer } from '../dist/local/postgres-server.js';
import { ProcessRecords } from '../dist/local/process-records.js';
import { findRedis, redisCacheFolder } from '../dist/local/redis-binary.js';
import { RedisServer } from '../dist/local/redis-server.js';
import { removeFolder } from '../dist/local/remove-folder.js';
import { accountForPostgres, temporaryFolderFor } from '../dist/local/server-account.js';
import { Watchdog } from '../dist/local/watchdog-link.js';
import { migrate } from '../dist/platform/database/migrate.js';

const migrations = path.resolve(import.meta.dirname, '../prisma/migrations');

/**
 * A Postgres that flushes what it commits, and a Redis, for one bench; gone afterwards, also when the bench is killed. With a
 * `home` (a folder and the password of its cluster) the files of Postgres are there, and stay.
 */
export class DurableStores {
  #watchdog;
  #records;
  #home;

  static async start(progress, home) {
    const stores = new DurableStores(home);
    try {
      await stores.#start(progress);
      return stores;
    } catch (error) {
      await stores.stop();
      throw error;
    }
  }

  constructor(home) {
    this.folder = temporaryFolderFor(accountForPostgres(''), 'ipm-bench-');
    this.#watchdog = new Watchdog(this.#file('watchdog.log'));
    this.#watchdog.removeFolderAfterwards(this.folder);
    this.#records = new ProcessRecords(this.#file('processes.json'), this.#watchdog);
    this.#home = home ?? { folder: this.folder, password: newPassword() };
  }

  async #start(progress) {
    await this.#startPostgres({ durable: true });
    const binary = await findRedis({
      path: process.env.PATH ?? '',
      cacheFolder: redisCacheFolder(process.env),
      stopping: undefined,
      progress,
    });
    const folder = this.#file('redis');
    mkdirSync(folder);
    this.redis = await RedisServer.start({
      records: this.#records,
      stopping: undefined,
      rememberedPort: undefined,
      password: newPassword(),
      binary,
      folder,
      databases: 16,
      logFile: this.#file('redis.log'),
    });
  }

  async #startPostgres({ durable }) {
    this.postgres = await PostgresServer.start({
      records: this.#records,
      stopping: undefined,
      rememberedPort: undefined,
      password: this.#home.password,
      cluster: this.cluster,
      durable,
      logFile: this.#file('postgres.log'),
    });
  }

  /** `durable: false` is for filling it: nothing is flushed, and a crash leaves nothing that can be used. */
  async restartPostgres({ durable }) {
    await this.postgres.process.stop();
    await this.#startPostgres({ durable });
  }

  get cluster() {
    return path.join(this.#home.folder, 'postgres');
  }

  get redisUrl() {
    return this.redis.url();
  }

  /** Migrated; made unless it is there. */
  async database(name) {
    await this.postgres.ensureDatabase(name);
    const url = this.postgres.url(name);
    await migrate({ connectionString: url, directory: migrations });
    return url;
  }

  /** A Node program that is stopped with the stores at the latest. */
  launch(name, args, environment) {
    const { PATH, HOME, TMPDIR } = process.env;
    const options = {
      kind: 'app',
      command: process.execPath,
      args,
      environment: { PATH, HOME, ...(TMPDIR && { TMPDIR }), ...environment },
      folder: this.folder,
      logFile: this.#file(`${name}.log`),
    };
    return new ManagedProcess(options, this.#records);
  }

  async stop() {
    await this.#records.stopAll();
    await this.#watchdog.finish();
    await removeFolder(this.folder);
  }

  #file(name) {
    return path.join(this.folder, name);
  }
}
