import { accessSync, constants, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { projectFolder } from './data-folder.js';
import { unpackRedis } from './redis-packages.js';
import type { RedisBinary, RedisSearch } from './redis-search.js';
import { StartProblem } from './start-problem.js';

/** On the machine, else unpacked from the system's packages, else a message that says how to install it. */
export async function findRedis(search: RedisSearch): Promise<RedisBinary> {
  const installed = installedRedis(search.path);
  if (installed) return installed;
  if (isOnPath('apt-get', search.path) && isOnPath('dpkg', search.path)) {
    const unpacked = await unpackRedis(search).catch((error: unknown) => {
      search.stopping?.throwIfAborted();
      search.progress(`Redis could not be unpacked from packages: ${firstLine(error)}`);
      return undefined;
    });
    if (unpacked) return unpacked;
  }
  throw new StartProblem(howToInstallRedis);
}

/** The user's cache where it can be written, else one inside the checkout. */
export function redisCacheFolder(environment: NodeJS.ProcessEnv): string {
  const userCache = environment.XDG_CACHE_HOME || path.join(environment.HOME || os.homedir(), '.cache');
  const folder = path.join(userCache, 'ipm');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return path.join(projectFolder, 'node_modules/.cache/ipm');
  }
}

const howToInstallRedis = [
  'No Redis found: neither redis-server nor valkey-server is on the PATH. Install one and start again, or set REDIS_URL.',
  '  Debian, Ubuntu   sudo apt-get install -y redis-server',
  '  Fedora, RHEL     sudo dnf install -y valkey',
  '  Alpine           sudo apk add valkey',
  '  Arch             sudo pacman -S --noconfirm valkey',
  '  macOS            brew install redis',
].join('\n');

function installedRedis(searchPath: string): RedisBinary | undefined {
  const command = isOnPath('redis-server', searchPath) ?? isOnPath('valkey-server', searchPath);
  return command === undefined ? undefined : { command };
}

function isOnPath(name: string, searchPath: string): string | undefined {
  return searchPath
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
