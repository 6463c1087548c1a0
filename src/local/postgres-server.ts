import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { rememberedOrFreePort } from './free-port.js';
import { ManagedProcess } from './managed-process.js';
import { postgresBinaries } from './postgres-binaries.js';
import { ensureCluster, serverEnvironment, type ClusterOptions } from './postgres-cluster.js';
import { accountForPostgres } from './server-account.js';

export interface PostgresOptions extends Omit<ClusterOptions, 'account' | 'binaries'> {
  rememberedPort: number | undefined;
}

const READY_WITHIN_MS = 60_000;
const PREDECESSOR_GONE_WITHIN_MS = 15_000;

const settings = {
  common: {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    max_wal_size: '1GB',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    logging_collector: 'off',
  },
  durable: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '256MB' },
  throwaway: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB' },
} as const;

/** The Postgres of the npm package, reachable from this machine only. */
export class PostgresServer {
  private constructor(
    readonly process: ManagedProcess,
    readonly port: number,
    private readonly password: string,
  ) {}

  static async start(options: PostgresOptions): Promise<PostgresServer> {
    const account = accountForPostgres(options.cluster);
    const binaries = postgresBinaries(account);
    const files = await ensureCluster({ ...options, account, binaries });
    const giveUpAt = Date.now() + PREDECESSOR_GONE_WITHIN_MS;
    for (let attempt = 1; ; attempt += 1) {
      options.stopping?.throwIfAborted();
      const port = await rememberedOrFreePort(attempt === 1 ? options.rememberedPort : undefined);
      const process = new ManagedProcess(
        {
          kind: 'postgres',
          command: binaries.postgres,
          args: ['-D', files, ...settingArguments(options.durable, port)],
          environment: serverEnvironment(),
          folder: files,
          runAs: account,
          logFile: options.logFile,
        },
        options.records,
      );
      try {
        await process.waitUntil(() => isReady(files, process.pid), READY_WITHIN_MS, options.stopping);
        return new PostgresServer(process, port, options.password);
      } catch (error) {
        const worthAnotherTry = process.hasEnded && Date.now() < giveUpAt && endedForWhatPasses(process);
        await process.stop();
        if (!worthAnotherTry) throw error;
        await delay(200);
      }
    }
  }

  /** Of a superuser; without a name, of the server. */
  url(database = ''): string {
    return `postgresql://postgres:${this.password}@127.0.0.1:${this.port}${database && `/${database}`}`;
  }

  async ensureDatabase(name: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    try {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    } finally {
      await client.end();
    }
  }
}

function settingArguments(durable: boolean, port: number): string[] {
  const all = { ...settings.common, ...(durable ? settings.durable : settings.throwaway), port: String(port) };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The server writes its state as the eighth line of its pid file: what pg_ctl waits for too. */
function isReady(files: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(path.join(files, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

/** Somebody took the port since we looked, or sessions of a killed predecessor are still ending. */
function endedForWhatPasses(process: ManagedProcess): boolean {
  return process.lastLines(6).some((line) => /Address already in use|is still in use|already exists/.test(line));
}
