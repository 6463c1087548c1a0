import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { RedisBinary, RedisSearch } from './redis-search.js';

const PACKAGES = ['redis-tools', 'libjemalloc2', 'liblzf1'];
const SERVER = 'usr/bin/redis-server';
const TOOL_TIMEOUT_MS = 120_000;

/** Debian's and Ubuntu's packages, downloaded and unpacked into our own cache: no root, nothing installed. */
export async function unpackRedis(search: RedisSearch): Promise<RedisBinary> {
  const unpacked = path.join(search.cacheFolder, 'redis');
  if (!existsSync(unpacked)) {
    search.progress('Redis is not installed: unpacking it from the system’s packages …');
    await downloadAndUnpack(search, unpacked);
  }
  const binary: RedisBinary = {
    command: path.join(unpacked, SERVER),
    libraries: libraryFolder(unpacked),
  };
  try {
    await run(search, binary.command, ['--version'], unpacked, binary);
  } catch (error) {
    // What does not run here (another release, another machine's home) must not be found again.
    rmSync(unpacked, { recursive: true, force: true });
    throw error;
  }
  return binary;
}

async function downloadAndUnpack(search: RedisSearch, unpacked: string): Promise<void> {
  mkdirSync(search.cacheFolder, { recursive: true, mode: 0o700 });
  const draft = mkdtempSync(path.join(search.cacheFolder, 'redis-'));
  try {
    await download(search, draft);
    const root = path.join(draft, 'root');
    mkdirSync(root);
    for (const archive of readdirSync(draft).filter((name) => name.endsWith('.deb'))) {
      await run(search, 'dpkg', ['-x', archive, root], draft);
    }
    // The program looks at the name it was called by; the link that names it a server is in a package of its own.
    if (!existsSync(path.join(root, SERVER))) symlinkSync('redis-check-rdb', path.join(root, SERVER));
    renameIntoPlace(root, unpacked);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** With the system's package lists where it has some, else with lists of our own, which any user may fetch. */
async function download(search: RedisSearch, folder: string): Promise<void> {
  const quick = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'APT::Sandbox::User=root'];
  try {
    await run(search, 'apt-get', [...quick, 'download', ...(await wantedPackages(search, quick, folder))], folder);
  } catch {
    search.stopping?.throwIfAborted();
    for (const inner of ['lists/partial', 'cache/archives/partial'])
      mkdirSync(path.join(folder, inner), { recursive: true });
    const own = [
      ...quick,
      ...['-o', `Dir::State::lists=${folder}/lists`, '-o', `Dir::Cache=${folder}/cache`, '-o', 'Debug::NoLocking=1'],
    ];
    await run(search, 'apt-get', [...own, '-qq', 'update'], folder);
    await run(search, 'apt-get', [...own, 'download', ...(await wantedPackages(search, own, folder))], folder);
  }
}

/** What the system's own resolver would add to this machine; the list above where it adds nothing or refuses to say. */
async function wantedPackages(search: RedisSearch, options: string[], folder: string): Promise<string[]> {
  const question = [
    '-o',
    'Debug::NoLocking=1',
    '--print-uris',
    '-qq',
    '--no-install-recommends',
    'install',
    'redis-tools',
  ];
  const answer = await run(search, 'apt-get', [...options, ...question], folder).catch(() => '');
  const named = [...answer.matchAll(/^'[^']*' ([^_\s]+)_\S+\.deb /gm)].map((match) => match[1] ?? '');
  return named.includes('redis-tools') ? named : PACKAGES;
}

async function run(
  search: RedisSearch,
  tool: string,
  args: string[],
  folder: string,
  binary?: RedisBinary,
): Promise<string> {
  const { stdout } = await promisify(execFile)(tool, args, {
    cwd: folder,
    env: {
      ...process.env,
      PATH: search.path,
      LC_ALL: 'C',
      ...(binary?.libraries && { LD_LIBRARY_PATH: binary.libraries }),
    },
    timeout: TOOL_TIMEOUT_MS,
    ...(search.stopping && { signal: search.stopping }),
  });
  return stdout;
}

function renameIntoPlace(root: string, unpacked: string): void {
  try {
    renameSync(root, unpacked);
  } catch (error) {
    // Another start was faster with the same packages.
    if (!existsSync(unpacked)) throw error;
  }
}

function libraryFolder(unpacked: string): string {
  const libraries = path.join(unpacked, 'usr/lib');
  const architecture = existsSync(libraries)
    ? readdirSync(libraries).find((name) => name.includes('-linux-'))
    : undefined;
  return path.join(libraries, architecture ?? '');
}
