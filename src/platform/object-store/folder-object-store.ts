import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { exactly } from './object-body.js';
import { assertObjectKey } from './object-key.js';
import type { FolderStoreConfiguration } from './object-store-options.js';
import { ObjectStore, type ObjectStat, type PutOptions } from './object-store.js';

/** Its first character is none of a key's, so no key reaches what is still being written, or was when the process died. */
const UNFINISHED = '~unfinished';
/** Other processes write here too, so a start clears only what nobody can still be writing. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/** Objects as files below one folder. What lies below a symbolic link is never touched. */
export class FolderObjectStore extends ObjectStore {
  private root: Promise<string> | undefined;

  constructor(private readonly options: FolderStoreConfiguration) {
    super();
  }

  async put(key: string, body: Buffer | Readable, { lengthBytes }: PutOptions = {}): Promise<void> {
    if (Buffer.isBuffer(body)) return this.write(key, body);
    try {
      await this.write(key, exactly(lengthBytes, body));
    } finally {
      body.destroy();
    }
  }

  async get(key: string): Promise<Readable | null> {
    const found = await this.find(key);
    if (!found) return null;
    const handle = await open(found.file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(nullIfAbsent);
    return handle && handle.createReadStream();
  }

  async stat(key: string): Promise<ObjectStat | null> {
    const found = await this.find(key);
    return found && { sizeBytes: found.stats.size, modifiedAt: found.stats.mtime };
  }

  async delete(key: string): Promise<void> {
    const found = await this.find(key);
    if (!found) return;
    await unlink(found.file).catch(nullIfAbsent);
    await flushFolder(path.dirname(found.file));
  }

  private async write(key: string, body: Buffer | Readable): Promise<void> {
    assertObjectKey(key);
    const root = await this.openRoot();
    const target = await makeWay(root, key);
    const unfinished = path.join(root, UNFINISHED, randomUUID());
    try {
      await writeThrough(unfinished, body);
      await rename(unfinished, target);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    await flushFolder(path.dirname(target));
  }

  private async find(key: string): Promise<{ file: string; stats: Stats } | null> {
    assertObjectKey(key);
    let file = await this.openRoot();
    let stats: Stats | null = null;
    for (const segment of key.split('/')) {
      if (stats && !stats.isDirectory()) return null;
      file = path.join(file, segment);
      stats = await lstatUnlinked(file);
      if (!stats) return null;
    }
    return stats?.isFile() ? { file, stats } : null;
  }

  /** Tried again at the next call when it fails: a disk may be mounted later. */
  private openRoot(): Promise<string> {
    this.root ??= prepareRoot(this.options.folder).catch((error: unknown) => {
      this.root = undefined;
      throw error;
    });
    return this.root;
  }
}

async function prepareRoot(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const root = await realpath(folder);
  const unfinished = path.join(root, UNFINISHED);
  await makeFolder(unfinished);
  for (const name of await readdir(unfinished)) {
    const file = path.join(unfinished, name);
    const stats = await lstat(file).catch(nullIfAbsent);
    if (stats && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS) await rm(file, { force: true });
  }
  return root;
}

/** Makes the folders above an object one by one, because a recursive mkdir would follow a symbolic link out of the root. */
async function makeWay(root: string, key: string): Promise<string> {
  const folders = key.split('/');
  const name = folders.pop() ?? '';
  let folder = root;
  for (const segment of folders) {
    folder = path.join(folder, segment);
    await makeFolder(folder);
  }
  const target = path.join(folder, name);
  const present = await lstatUnlinked(target);
  if (present && !present.isFile()) throw new Error(`object key refused: ${key} is a folder of other objects`);
  return target;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
    await flushFolder(path.dirname(folder));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const present = await lstatUnlinked(folder);
    if (!present?.isDirectory()) throw new Error(`object key refused: ${path.basename(folder)} is itself an object`);
  }
}

async function lstatUnlinked(file: string): Promise<Stats | null> {
  const stats = await lstat(file).catch(nullIfAbsent);
  if (stats?.isSymbolicLink()) throw new Error(`the object store refuses the symbolic link ${file}`);
  return stats;
}

async function writeThrough(file: string, body: Buffer | Readable): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await writeFile(handle, body);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Only then a file made, renamed or removed in it is so after a power cut. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function nullIfAbsent(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
