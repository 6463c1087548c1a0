import { execFileSync } from 'node:child_process';
import { chownSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { newPassword } from '../../../src/local/credentials.js';
import { PostgresServer } from '../../../src/local/postgres-server.js';
import { ProcessRecords } from '../../../src/local/process-records.js';
import { removeFolder } from '../../../src/local/remove-folder.js';
import { accountForPostgres, temporaryFolderFor } from '../../../src/local/server-account.js';
import { Watchdog } from '../../../src/local/watchdog-link.js';
import { migrate } from '../../../src/platform/database/migrate.js';
import { databaseAt, type TestDatabase } from '../../support/database.js';

const DATABASE = 'ipm';
/** Below the ports that outgoing connections get, so that nobody sits on ours while the server is away. */
const PORTS = { first: 20_000, count: 10_000 };

/** Where servers of one test keep their files; gone with them, also when the test is killed. */
export class ServerFolder {
  readonly folder = temporaryFolderFor(accountForPostgres(''), 'ipm-fault-');
  readonly records: ProcessRecords;
  private readonly watchdog: Watchdog;

  constructor() {
    this.watchdog = new Watchdog(path.join(this.folder, 'watchdog.log'), path.resolve('dist/local/watchdog.js'));
    this.watchdog.removeFolderAfterwards(this.folder);
    this.records = new ProcessRecords(path.join(this.folder, 'processes.json'), this.watchdog);
  }

  async clear(): Promise<void> {
    await this.records.stopAll();
    await this.watchdog.finish();
    await removeFolder(this.folder);
  }
}

/** A Postgres of the test's own that flushes what it commits, to be killed, restored and copied. */
export class OwnPostgres {
  private server: PostgresServer | undefined;
  private port = PORTS.first + Math.floor(Math.random() * PORTS.count);

  private constructor(
    private readonly place: ServerFolder,
    private readonly name: string,
    private readonly password: string,
  ) {}

  /** With a migrated database. */
  static async start(place: ServerFolder): Promise<OwnPostgres> {
    const postgres = new OwnPostgres(place, 'postgres', newPassword());
    await postgres.start();
    await postgres.running.ensureDatabase(DATABASE);
    await migrate({ connectionString: postgres.database.url, directory: path.resolve('prisma/migrations') });
    return postgres;
  }

  get database(): TestDatabase {
    return databaseAt(this.running.url(DATABASE));
  }

  /** Starts on what is there, at the port of before. */
  async start(): Promise<void> {
    this.server = await PostgresServer.start({
      cluster: this.files,
      password: this.password,
      durable: true,
      rememberedPort: this.port,
      logFile: path.join(this.place.folder, `${this.name}.log`),
      records: this.place.records,
      stopping: undefined,
    });
    this.port = this.server.port;
  }

  async stop(): Promise<void> {
    await this.running.process.stop();
  }

  /** Sabotage: sessions that begin from now on are answered before what they commit is on the disk. */
  async answerEarly(): Promise<void> {
    const { asOwner } = this.database;
    await asOwner(`alter database ${DATABASE} set synchronous_commit = off`);
    await asOwner(`alter system set wal_writer_delay = '10s'`);
    await asOwner('select pg_reload_conf()');
  }

  /** Whatever was committed until now outlives a kill, however early it was answered. */
  async flush(): Promise<void> {
    await this.database.asOwner('checkpoint');
  }

  /** The postmaster; with its sessions nobody finishes, flushes or answers, without them each ends when it notices. */
  async kill(who: 'postmaster' | 'postmaster and sessions'): Promise<void> {
    const sessions = await this.database.asOwner<{ pid: number }>('select pid from pg_stat_activity');
    killQuietly(this.running.process.pid!);
    if (who !== 'postmaster') for (const { pid } of sessions) killQuietly(pid);
    await this.running.process.exited;
  }

  /** The files of a server that is stopped, copied; answers who starts on them. */
  copiedTo(name: string): OwnPostgres {
    const copy = new OwnPostgres(this.place, name, this.password);
    copyFolder(this.files, copy.files);
    return copy;
  }

  /** The files of a running server, copied as the manual's low-level base backup has it. */
  async backedUpTo(name: string): Promise<OwnPostgres> {
    const copy = new OwnPostgres(this.place, name, this.password);
    const session = new pg.Client({ connectionString: this.database.url });
    await session.connect();
    try {
      await session.query(`select pg_backup_start('fault test', fast => true)`);
      copyFolder(this.files, copy.files);
      const { rows } = await session.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
      rmSync(path.join(copy.files, 'postmaster.pid'));
      rmSync(path.join(copy.files, 'pg_wal'), { recursive: true });
      copyFolder(path.join(this.files, 'pg_wal'), path.join(copy.files, 'pg_wal'));
      writeFileSync(path.join(copy.files, 'backup_label'), rows[0]!.labelfile);
      const { uid, gid } = statSync(copy.files);
      chownSync(path.join(copy.files, 'backup_label'), uid, gid);
    } finally {
      await session.end();
    }
    return copy;
  }

  /** This one is stopped, and the files of the copy, which was never started, take the place of its own. */
  replaceFilesBy(copy: OwnPostgres): void {
    rmSync(this.files, { recursive: true });
    renameSync(copy.files, this.files);
  }

  get files(): string {
    return path.join(this.place.folder, this.name);
  }

  private get running(): PostgresServer {
    if (!this.server) throw new Error('this Postgres was not started yet');
    return this.server;
  }
}

/** With owners, modes and times. */
function copyFolder(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** Sessions that ended in between, the one that asked among them, are no more. */
function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
