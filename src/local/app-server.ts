import type { Credentials } from './credentials.js';
import type { DataFolder } from './data-folder.js';
import type { LocalSettings } from './local-settings.js';
import { ManagedProcess } from './managed-process.js';
import type { ProcessRecords } from './process-records.js';
import { SERVING_FLAGS } from './serving-flags.js';

export interface AppStores {
  databaseUrl: string;
  redisUrl: string;
}

const READY_WITHIN_MS = 60_000;

/** The environment of the app: what a local stack needs, under whatever the user has set. */
export function appEnvironment(
  settings: LocalSettings,
  folder: DataFolder,
  stores: AppStores,
  credentials: Credentials,
): NodeJS.ProcessEnv {
  return {
    IPM_ROLE: 'all',
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    IPM_SECRETS_FILE: folder.secretsFile,
    IPM_BOOTSTRAP_ORGCODE: 'demo',
    IPM_BOOTSTRAP_API_KEY: credentials.api_key,
    API_KEY: credentials.operator_key,
    IPM_PUBLIC_URL: baseUrl(settings),
    IPM_DOCS: 'on',
    // Receivers on this machine are what one tries first; nowhere else is this a default.
    WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8,::1/128',
    ...settings.environment,
    HOST: settings.host,
    PORT: String(settings.port),
    IPM_DATA_DIR: folder.path,
  };
}

/** Where it is reached from this machine. */
export function baseUrl({ host, port }: LocalSettings): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

export async function startApp(
  settings: LocalSettings,
  folder: DataFolder,
  environment: NodeJS.ProcessEnv,
  records: ProcessRecords,
  stopping: AbortSignal,
): Promise<ManagedProcess> {
  stopping.throwIfAborted();
  const app = new ManagedProcess(
    {
      kind: 'app',
      command: process.execPath,
      args: [...SERVING_FLAGS, '--enable-source-maps', settings.appFile],
      environment,
      folder: process.cwd(),
      logFile: folder.logFile('app'),
    },
    records,
  );
  try {
    await app.waitUntil(() => isServing(baseUrl(settings)), READY_WITHIN_MS, stopping);
    return app;
  } catch (error) {
    await app.stop();
    throw error;
  }
}

async function isServing(base: string): Promise<boolean> {
  try {
    const answer = await fetch(`${base}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
