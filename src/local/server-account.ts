import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { StartProblem } from './start-problem.js';

/** Whom Postgres runs as when we are root, which it refuses to be. */
export interface ServerAccount {
  name: string;
  uid: number;
  gid: number;
}

/** Where root puts what that account must reach, when the checkout or the data folder is closed to it. */
const PLACE_REACHABLE_BY_ALL = '/var/lib/ipm';

/** Undefined when we are an ordinary user: then Postgres runs as ourselves. */
export function accountForPostgres(cluster: string): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = existsSync(cluster) ? statSync(cluster) : undefined;
  if (owner && owner.uid !== 0) return { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  const account = accountNamed('postgres') ?? accountNamed('nobody');
  if (account) return account;
  throw new StartProblem(
    'Postgres does not run as root, and this system has neither a user postgres nor nobody: ' +
      'make one (useradd --system postgres), start as an ordinary user, or set DATABASE_URL.',
  );
}

/** Asked of the system itself, as that user: modes, access lists and mounts all count. */
export function canReach(account: ServerAccount, target: string): boolean {
  const { uid, gid } = account;
  return (
    spawnSync('/bin/sh', ['-c', 'test -x "$1" && test -r "$1"', 'sh', target], { uid, gid, cwd: '/' }).status === 0
  );
}

/** Passing through is enough for a folder on the way. */
export function canEnter(account: ServerAccount, folder: string): boolean {
  const { uid, gid } = account;
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', folder], { uid, gid, cwd: '/' }).status === 0;
}

export function folderReachableByAll(...names: string[]): string {
  const folder = path.join(PLACE_REACHABLE_BY_ALL, ...names);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return folder;
  } catch (error) {
    throw new StartProblem(
      `Postgres needs a folder that user postgres can reach, and ${folder} cannot be made (${(error as Error).message}): ` +
        'put the checkout and IPM_DATA_DIR outside of closed folders such as /root.',
    );
  }
}

/** A new folder under the system's temporary one that the account, if any, can pass through. */
export function temporaryFolderFor(account: ServerAccount | undefined, prefix: string): string {
  const places = [os.tmpdir(), '/tmp', '/var/tmp'];
  const place = places.find((candidate) => existsSync(candidate) && (!account || canEnter(account, candidate)));
  if (place === undefined)
    throw new StartProblem(`No temporary folder that ${account?.name} can reach: set TMPDIR to one.`);
  const folder = mkdtempSync(path.join(place, prefix));
  if (account) chmodSync(folder, 0o711);
  return folder;
}

export function newFolderName(): string {
  return randomBytes(6).toString('hex');
}

function accountNamed(name: string): ServerAccount | undefined {
  try {
    return { name, uid: idOf('-u', name), gid: idOf('-g', name) };
  } catch {
    return undefined;
  }
}

function idOf(option: '-u' | '-g', name: string): number {
  return Number(execFileSync('id', [option, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}
