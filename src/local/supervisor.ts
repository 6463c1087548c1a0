import { lstatSync, readlinkSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from '../platform/database/migrate.js';
import { ensureSecretsFile } from '../platform/config/secrets-file.js';
import { AppLogView } from './app-log-view.js';
import { appEnvironment, baseUrl, startApp, type AppStores } from './app-server.js';
import { keptCredentials, type Credentials } from './credentials.js';
import { assertSpaceLeft, openDataFolder, type DataFolder } from './data-folder.js';
import { DataFolderLock } from './data-folder-lock.js';
import { isPortFree } from './free-port.js';
import type { LocalSettings } from './local-settings.js';
import { rotateLog } from './log-file.js';
import type { ManagedProcess } from './managed-process.js';
import { PostgresServer } from './postgres-server.js';
import { readPrivateJson, writePrivateJson } from './private-file.js';
import { ProcessRecords, stopLeftovers } from './process-records.js';
import { findRedis, redisCacheFolder } from './redis-binary.js';
import { RedisServer } from './redis-server.js';
import { writeStackFile, type RunningStack } from './stack-file.js';
import { explainStorageError, StartProblem } from './start-problem.js';
import { Watchdog } from './watchdog-link.js';

interface Ports {
  postgres: number;
  redis: number;
}

/** A step that hangs on somebody else's database must not keep a Ctrl-C waiting. */
const UNFINISHED_START_WAIT_MS = 5_000;

/** Starts the local stack, watches over it, and stops it in order. */
export class Supervisor {
  /** Resolves with the reason when a child ends that nobody asked to. */
  readonly childLost: Promise<Error>;
  private reportLoss: (problem: Error) => void = () => undefined;
  private readonly stopping = new AbortController();
  private readonly hurried = new AbortController();
  private records: ProcessRecords | undefined;
  private readonly ports: Partial<Ports> = {};
  private folder: DataFolder | undefined;
  private lock: DataFolderLock | undefined;
  private watchdog: Watchdog | undefined;
  private logView: AppLogView | undefined;
  private starting: Promise<RunningStack> | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly settings: LocalSettings,
    private readonly progress: (line: string) => void,
  ) {
    this.childLost = new Promise((resolve) => (this.reportLoss = resolve));
  }

  /** Throws what is in the way; call stop() then too. */
  async start(): Promise<RunningStack> {
    this.starting = this.startInOrder().catch((error: unknown) => {
      throw explainStorageError(error, this.settings.dataFolder);
    });
    return this.starting;
  }

  stop(): Promise<void> {
    this.stopped ??= this.stopInOrder();
    return this.stopped;
  }

  /** Cuts the waiting of a stop short. */
  hurry(): void {
    this.hurried.abort();
  }

  private async startInOrder(): Promise<RunningStack> {
    const folder = openDataFolder(this.settings.dataFolder);
    this.lock = DataFolderLock.acquire(folder.lock);
    this.folder = folder;
    const leftovers = await stopLeftovers(folder);
    if (leftovers > 0) this.progress(`Stopped ${leftovers} processes that a killed start had left behind`);
    await this.assertPortFree();
    assertSpaceLeft(folder);
    for (const name of ['app', 'postgres', 'redis', 'watchdog']) rotateLog(folder.logFile(name));
    const credentials = keptCredentials(folder);
    ensureSecretsFile(folder.secretsFile);
    this.watchdog = new Watchdog(folder.logFile('watchdog'));
    const records = new ProcessRecords(folder.processesFile, this.watchdog);
    this.records = records;
    const stores = await this.startStores(folder, records, credentials);
    await this.step('Migrations', () => this.migrate(stores.databaseUrl));
    return this.serve(folder, records, stores, credentials);
  }

  private async assertPortFree(): Promise<void> {
    const { host, port } = this.settings;
    const free = await isPortFree(port, host).catch((error: unknown) => {
      throw new StartProblem(
        `Cannot listen on ${host}, port ${port} (${(error as Error).message}): choose others with HOST and PORT.`,
      );
    });
    if (free) return;
    throw new StartProblem(
      `Port ${port} is taken by another program: choose another, for example PORT=${port + 1} npm start.`,
    );
  }

  private async migrate(databaseUrl: string): Promise<void> {
    const connectionString = this.settings.environment.DATABASE_OWNER_URL ?? databaseUrl;
    try {
      await migrate({ connectionString, directory: this.settings.migrationsFolder, log: this.progress });
    } catch (error) {
      const explained = explainStorageError(error, this.settings.dataFolder);
      if (explained instanceof StartProblem) throw explained;
      const { message, code } = error as { message?: string; code?: string };
      throw new StartProblem(`The database could not be migrated: ${message || code}`, { cause: error });
    }
  }

  private async startStores(folder: DataFolder, records: ProcessRecords, credentials: Credentials): Promise<AppStores> {
    const { DATABASE_URL, REDIS_URL } = this.settings.environment;
    const remembered = readPrivateJson<Ports>(folder.portsFile) ?? {};
    Object.assign(this.ports, remembered);
    const outcomes = await Promise.allSettled([
      DATABASE_URL ??
        this.step('Postgres', () => this.startPostgres(folder, records, credentials, remembered.postgres)),
      REDIS_URL ?? this.step('Redis', () => this.startRedis(folder, records, credentials, remembered.redis)),
    ]);
    writePrivateJson(folder.portsFile, this.ports);
    const [databaseUrl, redisUrl] = outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    }) as [string, string];
    return { databaseUrl, redisUrl };
  }

  private async startPostgres(
    folder: DataFolder,
    records: ProcessRecords,
    credentials: Credentials,
    rememberedPort: number | undefined,
  ): Promise<string> {
    const server = await PostgresServer.start({
      cluster: folder.postgres,
      password: credentials.postgres_password,
      durable: true,
      rememberedPort,
      logFile: folder.logFile('postgres'),
      records,
      stopping: this.stopping.signal,
    });
    this.watchOver(server.process);
    this.ports.postgres = server.port;
    if (lstatSync(folder.postgres).isSymbolicLink()) {
      this.progress(
        `Postgres keeps its files in ${readlinkSync(folder.postgres)}: it runs as a user who cannot enter ${folder.path}`,
      );
    }
    await server.ensureDatabase('ipm');
    return server.url('ipm');
  }

  private async startRedis(
    folder: DataFolder,
    records: ProcessRecords,
    credentials: Credentials,
    rememberedPort: number | undefined,
  ): Promise<string> {
    const { environment } = this.settings;
    const server = await RedisServer.start({
      binary: await findRedis({
        path: environment.PATH ?? '',
        cacheFolder: redisCacheFolder(environment),
        stopping: this.stopping.signal,
        progress: this.progress,
      }),
      folder: folder.redis,
      password: credentials.redis_password,
      databases: 16,
      rememberedPort,
      logFile: folder.logFile('redis'),
      records,
      stopping: this.stopping.signal,
    });
    this.watchOver(server.process);
    this.ports.redis = server.port;
    return server.url();
  }

  private async serve(
    folder: DataFolder,
    records: ProcessRecords,
    stores: AppStores,
    credentials: Credentials,
  ): Promise<RunningStack> {
    const environment = appEnvironment(this.settings, folder, stores, credentials);
    if (this.settings.verbose) this.showLog(folder);
    const app = await this.step('IPM', () =>
      startApp(this.settings, folder, environment, records, this.stopping.signal),
    );
    this.watchOver(app);
    // Not before: an app that cannot start has its last lines shown with the reason.
    if (!this.settings.verbose) this.showLog(folder);
    const stack: RunningStack = {
      database_url: stores.databaseUrl,
      redis_url: stores.redisUrl,
      base_url: baseUrl(this.settings),
      orgcode: environment.IPM_BOOTSTRAP_ORGCODE ?? '',
      api_key: environment.IPM_BOOTSTRAP_API_KEY ?? '',
      operator_key: environment.API_KEY ?? '',
      pid: process.pid,
      started_at: new Date().toISOString(),
    };
    writeStackFile(folder, stack);
    return stack;
  }

  private showLog(folder: DataFolder): void {
    this.logView = new AppLogView(folder.logFile('app'), this.settings.verbose, (line) =>
      this.progress(`app: ${line}`),
    );
  }

  private async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const begun = Date.now();
    this.stopping.signal.throwIfAborted();
    const result = await work();
    this.progress(`${name.padEnd(12)} ready  ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    return result;
  }

  private watchOver(child: ManagedProcess): void {
    void child.exited.then(() => {
      if (!this.stopping.signal.aborted) this.reportLoss(child.endedProblem());
    });
  }

  private async stopInOrder(): Promise<void> {
    this.stopping.abort(new StartProblem('Stopped before it was ready.'));
    const startSettled = this.starting?.catch(() => undefined);
    await Promise.race([startSettled, delay(UNFINISHED_START_WAIT_MS, undefined, { ref: false })]);
    await this.records?.stopAll(this.hurried.signal);
    this.logView?.stop();
    await this.watchdog?.finish();
    if (this.folder) rmSync(this.folder.stackFile, { force: true });
    this.lock?.release();
  }
}
