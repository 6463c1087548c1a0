import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { ManagedProcess } from './managed-process.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import type { ProcessRecords } from './process-records.js';
import { canEnter, folderReachableByAll, newFolderName, type ServerAccount } from './server-account.js';
import { StartProblem } from './start-problem.js';

const INITDB_TIMEOUT_MS = 60_000;

export interface ClusterOptions {
  /** Where the cluster's files are wanted. */
  cluster: string;
  account: ServerAccount | undefined;
  binaries: PostgresBinaries;
  password: string;
  /** Flushed to the disk, checksums on. */
  durable: boolean;
  logFile: string;
  records: ProcessRecords;
  stopping: AbortSignal | undefined;
}

/** Makes the cluster unless it is there; answers where its files really are. */
export async function ensureCluster(options: ClusterOptions): Promise<string> {
  const { cluster, binaries } = options;
  if (!existsSync(cluster)) await createCluster(options);
  const found = readFileSync(path.join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (found !== binaries.majorVersion) {
    throw new StartProblem(
      `${cluster} was made by Postgres ${found}, this is Postgres ${binaries.majorVersion}: ` +
        'start the old version once more and export what is needed, or choose another folder with IPM_DATA_DIR=/path.',
    );
  }
  return realpathSync(cluster);
}

/** Made under another name and renamed when it is whole, so that a kill in the middle leaves no half of one. */
async function createCluster(options: ClusterOptions): Promise<void> {
  const draft = `${options.cluster}.new`;
  removeDraft(draft);
  const files = makeFolderFor(draft, options.account);
  const passwordFile = `${files}.password`;
  try {
    writeFileSync(passwordFile, options.password, { mode: 0o600 });
    if (options.account) chownSync(passwordFile, options.account.uid, options.account.gid);
    await initialise(options, files, passwordFile);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, options.cluster);
}

/** An empty folder for the account: at the draft's own place, or, where the account cannot come there, linked from it. */
function makeFolderFor(draft: string, account: ServerAccount | undefined): string {
  if (!account || canEnter(account, path.dirname(draft))) {
    mkdirSync(draft, { mode: 0o700 });
    if (account) chownSync(draft, account.uid, account.gid);
    return draft;
  }
  const files = path.join(folderReachableByAll('clusters', newFolderName()), 'postgres');
  symlinkSync(files, draft);
  mkdirSync(files, { mode: 0o700 });
  chownSync(files, account.uid, account.gid);
  return files;
}

function removeDraft(draft: string): void {
  const isLink = lstatSync(draft, { throwIfNoEntry: false })?.isSymbolicLink();
  if (isLink) rmSync(path.dirname(readlinkSync(draft)), { recursive: true, force: true });
  rmSync(draft, { recursive: true, force: true });
  rmSync(`${draft}.password`, { force: true });
}

async function initialise(options: ClusterOptions, files: string, passwordFile: string): Promise<void> {
  const initdb = new ManagedProcess(
    {
      kind: 'initdb',
      command: options.binaries.initdb,
      args: [
        ...['--pgdata', files, '--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
        ...['--encoding', 'UTF8', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C'],
        ...(options.durable ? ['--data-checksums'] : ['--no-data-checksums', '--no-sync']),
      ],
      environment: serverEnvironment(),
      folder: '/',
      runAs: options.account,
      logFile: options.logFile,
    },
    options.records,
  );
  try {
    await initdb.waitUntil(() => initdb.exitCode === 0, INITDB_TIMEOUT_MS, options.stopping);
  } finally {
    await initdb.stop();
  }
}

/** Nothing of ours: PGOPTIONS and its like would change the server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', ...runMarker() };
}

/** How the test runner recognises whatever its run has started. */
function runMarker(): NodeJS.ProcessEnv {
  return process.env.IPM_TEST_RUN ? { IPM_TEST_RUN: process.env.IPM_TEST_RUN } : {};
}
