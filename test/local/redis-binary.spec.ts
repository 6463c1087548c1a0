import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findRedis } from '../../src/local/redis-binary.js';
import type { RedisBinary } from '../../src/local/redis-search.js';

describe('finding a Redis', () => {
  let folder: string;
  let tools: string;
  let cacheFolder: string;
  let progress: string[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ipm-redis-'));
    tools = path.join(folder, 'tools');
    cacheFolder = path.join(folder, 'cache');
    progress = [];
    mkdirSync(tools);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const tool = (name: string, script: string): void => {
    writeFileSync(path.join(tools, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(tools, name), 0o755);
  };
  const find = (searchPath = tools): Promise<RedisBinary> =>
    findRedis({ path: searchPath, cacheFolder, stopping: undefined, progress: (line) => progress.push(line) });

  /** Stand-ins that do with empty archives what the system's tools do with real ones. */
  const packageTools = (aptGet: string): void => {
    tool('apt-get', aptGet);
    const program = String.raw`printf '#!/bin/sh\necho Redis server v=7\n' > "$3/usr/bin/redis-check-rdb"`;
    tool(
      'dpkg',
      `/bin/mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"\n${program}\n/bin/chmod 755 "$3/usr/bin/redis-check-rdb"`,
    );
  };
  const downloads = ': > redis-tools_7_amd64.deb';

  it('takes redis-server on the PATH, else valkey-server', async () => {
    tool('valkey-server', '');
    expect(await find()).toEqual({ command: path.join(tools, 'valkey-server') });
    tool('redis-server', '');
    expect(await find()).toEqual({ command: path.join(tools, 'redis-server') });
  });

  it('unpacks the system’s packages into the cache once, and leaves nothing else there', async () => {
    packageTools(`echo "$@" >> ${folder}/apt-get.log\n${downloads}`);
    const binary = await find();
    expect(binary.command).toBe(path.join(cacheFolder, 'redis/usr/bin/redis-server'));
    expect(binary.libraries).toBe(path.join(cacheFolder, 'redis/usr/lib/x86_64-linux-gnu'));
    expect(readdirSync(cacheFolder)).toEqual(['redis']);
    rmSync(path.join(tools, 'dpkg'));
    tool('dpkg', 'exit 1');
    expect(await find()).toEqual(binary);
  });

  it('downloads what the system’s resolver names', async () => {
    const answer = `case "$*" in *print-uris*) echo "'http://d/r_7.deb' redis-tools_7_amd64.deb 1 SHA256:0"; echo "'http://d/l_1.deb' liblua5.1-0_5_amd64.deb 1 SHA256:0";;`;
    packageTools(`${answer} *) echo "$@" > ${folder}/downloaded; ${downloads};; esac`);
    await find();
    expect(readFileSync(path.join(folder, 'downloaded'), 'utf8')).toMatch(/download redis-tools liblua5\.1-0\n$/);
  });

  it('fetches package lists of its own when the system has none', async () => {
    packageTools(
      `case "$*" in *Dir::State::lists*update*) : > ${folder}/updated;; *) test -e ${folder}/updated && ${downloads};; esac`,
    );
    await find();
    expect(existsSync(path.join(cacheFolder, 'redis/usr/bin/redis-server'))).toBe(true);
  });

  it('does not keep what cannot run here', async () => {
    packageTools(downloads);
    tool('dpkg', '/bin/mkdir -p "$3/usr/bin"');
    await expect(find()).rejects.toThrow('No Redis found');
    expect(progress.join('\n')).toContain('Redis could not be unpacked from packages');
    expect(readdirSync(cacheFolder)).toEqual([]);
  });

  it('says how to install one, per system, where there is none and no packages', async () => {
    for (const command of [
      'apt-get install -y redis-server',
      'dnf install',
      'apk add',
      'pacman -S',
      'brew install',
      'REDIS_URL',
    ]) {
      await expect(find('')).rejects.toThrow(command);
    }
  });
});
