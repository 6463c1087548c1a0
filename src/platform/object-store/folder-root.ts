import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { assertObjectKey } from './object-key.js';

/** Its first character is none of a key's, so no key reaches what is still being written, or was when the process died. */
const UNFINISHED = '~unfinished';
/** Other processes write here too, so a start clears only what nobody can still be writing. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/** The files of a folder by their keys. What lies below a symbolic link is never touched. */
export class FolderRoot {
  private prepared: Promise<string> | undefined;

  constructor(private readonly folder: string) {}

  /** The file of an object, if there is one. */
  async find(key: string): Promise<string | null> {
    assertObjectKey(key);
    let file = await this.open();
    let stats: Stats | null = null;
    for (const segment of key.split('/')) {
      if (stats && !stats.isDirectory()) return null;
      file = path.join(file, segment);
      stats = await lstatUnlinked(file);
      if (!stats) return null;
    }
    return stats?.isFile() ? file : null;
  }

  /** Lets a file be made out of sight, and shows it, whole and lasting, in the place of the key. */
  async replace<T>(key: string, make: (unfinished: string) => Promise<T>): Promise<T> {
    assertObjectKey(key);
    const root = await this.open();
    return moveInto(await makeWay(root, key), path.join(root, UNFINISHED, randomUUID()), make);
  }

  /** Where the parts of a key's uploads are; there are as many folders as there are such keys. */
  async partsFolder(key: string): Promise<string> {
    assertObjectKey(key);
    return path.join(await this.open(), UNFINISHED, key.replaceAll('/', '~'));
  }

  /** Tried again at the next call when it fails: a disk may be mounted later. */
  private open(): Promise<string> {
    this.prepared ??= prepareRoot(this.folder).catch((error: unknown) => {
      this.prepared = undefined;
      throw error;
    });
    return this.prepared;
  }
}

/** Whoever looks at the target sees what was there before or all of what was made. */
export async function moveInto<T>(
  target: string,
  unfinished: string,
  make: (unfinished: string) => Promise<T>,
): Promise<T> {
  try {
    const made = await make(unfinished);
    await rename(unfinished, target);
    await flushFolder(path.dirname(target));
    return made;
  } finally {
    await rm(unfinished, { force: true }); // also after a rename that did nothing, because both are links to one file
  }
}

export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
    await flushFolder(path.dirname(folder));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const present = await lstatUnlinked(folder);
    if (!present?.isDirectory()) throw new Error(`object key refused: ${path.basename(folder)} is itself an object`);
  }
}

/** Only then a file made, renamed or removed in it is so after a power cut. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function nullIfAbsent(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}

async function prepareRoot(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const root = await realpath(folder);
  const unfinished = path.join(root, UNFINISHED);
  await makeFolder(unfinished);
  for (const name of await readdir(unfinished)) {
    const file = path.join(unfinished, name);
    const stats = await lstat(file).catch(nullIfAbsent);
    // Parts are in folders, and wait for whoever opened the upload, however long that takes.
    if (stats?.isFile() && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS) await rm(file, { force: true });
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

async function lstatUnlinked(file: string): Promise<Stats | null> {
  const stats = await lstat(file).catch(nullIfAbsent);
  if (stats?.isSymbolicLink()) throw new Error(`the object store refuses the symbolic link ${file}`);
  return stats;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
