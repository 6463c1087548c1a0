import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { PostgresServer } from '../../src/local/postgres-server.js';
import { ProcessRecords } from '../../src/local/process-records.js';
import { findRedis, redisCacheFolder } from '../../src/local/redis-binary.js';
import { RedisServer } from '../../src/local/redis-server.js';
import { accountForPostgres, temporaryFolderFor } from '../../src/local/server-account.js';
import { Watchdog } from '../../src/local/watchdog-link.js';
import { gone } from './started-program.js';

jest.setTimeout(60_000);

describe('the stores of a local stack', () => {
  let folder: string;
  let watchdog: Watchdog;
  let records: ProcessRecords;

  beforeEach(() => {
    folder = temporaryFolderFor(accountForPostgres(''), 'ipm-stores-');
    watchdog = new Watchdog(path.join(folder, 'watchdog.log'), path.resolve('dist/local/watchdog.js'));
    records = new ProcessRecords(path.join(folder, 'processes.json'), watchdog);
  });
  afterEach(async () => {
    await records.stopAll();
    await watchdog.finish();
    rmSync(folder, { recursive: true, force: true });
  });

  const startPostgres = (rememberedPort?: number): Promise<PostgresServer> =>
    PostgresServer.start({
      cluster: path.join(folder, 'postgres'),
      password: 'secret-of-this-test',
      durable: true,
      rememberedPort,
      logFile: path.join(folder, 'postgres.log'),
      records,
      stopping: undefined,
    });

  const ask = async (server: PostgresServer, database: string, sql: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: server.url(database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows.map((row) => Object.values(row)[0]);
    } finally {
      await client.end();
    }
  };

  it('keeps Postgres’s data over a stop and a start, at the same port and with durable settings', async () => {
    const first = await startPostgres();
    await first.ensureDatabase('ipm');
    await first.ensureDatabase('ipm');
    await ask(first, 'ipm', 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.process.stop();
    expect(readFileSync(path.join(folder, 'postgres.log'), 'utf8')).toContain('database system is shut down');

    const second = await startPostgres(first.port);
    expect(second.port).toBe(first.port);
    expect(await ask(second, 'ipm', 'SELECT answer FROM kept')).toEqual([42]);
    const settings = ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'jit', 'listen_addresses'];
    const current = await Promise.all(settings.map((name) => ask(second, 'ipm', `SELECT current_setting('${name}')`)));
    expect(current.flat()).toEqual(['on', 'on', 'on', 'on', 'off', '127.0.0.1']);
    expect(await ask(second, 'ipm', `SELECT datlocale FROM pg_database WHERE datname = 'ipm'`)).toEqual(['C.UTF-8']);
  });

  it('asks for Postgres’s password, and keeps its files from others', async () => {
    const server = await startPostgres();
    const guess = new URL(server.url('postgres'));
    guess.password = 'guessed';
    await expect(new pg.Client({ connectionString: guess.href }).connect()).rejects.toThrow(
      'password authentication failed',
    );
    expect(statSync(path.join(folder, 'postgres')).mode & 0o777).toBe(0o700);
  });

  it('takes another port when somebody has the remembered one', async () => {
    const somebody = net.createServer();
    await new Promise<void>((resolve) => somebody.listen(0, '127.0.0.1', resolve));
    const { port } = somebody.address() as net.AddressInfo;
    const server = await startPostgres(port);
    expect(server.port).not.toBe(port);
    somebody.close();
  });

  it('starts Redis without persistence and eviction, behind a password, and stops it', async () => {
    mkdirSync(path.join(folder, 'redis'));
    const server = await RedisServer.start({
      binary: await findRedis({
        path: process.env.PATH ?? '',
        cacheFolder: redisCacheFolder(process.env),
        stopping: undefined,
        progress: () => undefined,
      }),
      folder: path.join(folder, 'redis'),
      password: 'doorbell',
      databases: 16,
      rememberedPort: undefined,
      logFile: path.join(folder, 'redis.log'),
      records,
      stopping: undefined,
    });
    const redis = new Redis(server.url());
    const settings = ['maxmemory-policy', 'save', 'appendonly', 'bind'];
    const values = await Promise.all(settings.map(async (name) => ((await redis.config('GET', name)) as string[])[1]));
    expect(values).toEqual(['noeviction', '', 'no', '127.0.0.1']);
    redis.disconnect();
    const stranger = new Redis({ port: server.port, host: '127.0.0.1', lazyConnect: true, enableReadyCheck: false });
    stranger.on('error', () => undefined);
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
    stranger.disconnect();
    await server.process.stop();
    await gone(server.process.pid!);
  });
});
