import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { newPassword } from '../../../src/local/credentials.js';
import { findRedis, redisCacheFolder } from '../../../src/local/redis-binary.js';
import { RedisServer } from '../../../src/local/redis-server.js';
import type { ServerFolder } from './own-postgres.js';

/** A Redis of the test's own, to be emptied, killed and brought back. */
export class OwnRedis {
  private constructor(
    private server: RedisServer,
    private readonly launch: (port: number | undefined) => Promise<RedisServer>,
  ) {}

  static async start(place: ServerFolder): Promise<OwnRedis> {
    const folder = path.join(place.folder, 'redis');
    mkdirSync(folder);
    const password = newPassword();
    const search = { path: process.env.PATH ?? '', cacheFolder: redisCacheFolder(process.env) };
    const binary = await findRedis({ ...search, stopping: undefined, progress: () => undefined });
    const launch = (port: number | undefined): Promise<RedisServer> =>
      RedisServer.start({
        binary,
        folder,
        password,
        databases: 1,
        rememberedPort: port,
        logFile: path.join(place.folder, 'redis.log'),
        records: place.records,
        stopping: undefined,
      });
    return new OwnRedis(await launch(undefined), launch);
  }

  get url(): string {
    return this.server.url();
  }

  async flushAll(): Promise<void> {
    const client = new Redis(this.url);
    try {
      await client.flushall();
    } finally {
      client.disconnect();
    }
  }

  async kill(): Promise<void> {
    process.kill(this.server.process.pid!, 'SIGKILL');
    await this.server.process.exited;
  }

  /** At the port of before, with nothing in it. */
  async startEmpty(): Promise<void> {
    this.server = await this.launch(this.server.port);
  }
}
