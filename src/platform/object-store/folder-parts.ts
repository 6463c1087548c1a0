import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { lstat, open, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { flushFolder, makeFolder, moveInto, nullIfAbsent, type FolderRoot } from './folder-root.js';
import { writeLabelled } from './labelled-file.js';
import { assertPartNumber, type PartTag } from './object-parts.js';
import { ObjectChanged, UploadGone } from './object-store-failures.js';
import type { PartsOptions } from './object-store.js';

const UPLOAD_ID = /^[0-9a-f-]{36}$/;
const CONTENT_TYPE_FILE = 'content-type';
/** So much of a part is hashed and written at once; other work of the process goes on in between. */
const SLICE_BYTES = 1024 * 1024;

/** Uploads in parts: a folder each, out of sight, with a file for each part. */
export class FolderParts {
  constructor(private readonly root: FolderRoot) {}

  async open(key: string, { contentType }: PartsOptions): Promise<string> {
    const uploads = await this.root.partsFolder(key);
    const uploadId = randomUUID();
    const folder = path.join(uploads, uploadId);
    await makeFolder(uploads);
    await makeFolder(folder);
    await writeFile(path.join(folder, CONTENT_TYPE_FILE), contentType, { flag: 'wx', mode: 0o600, flush: true });
    await flushFolder(folder);
    return uploadId;
  }

  async put(key: string, uploadId: string, number: number, body: Buffer): Promise<PartTag> {
    assertPartNumber(number);
    const folder = await this.folderOf(key, uploadId);
    const hash = createHash('sha256');
    try {
      await moveInto(path.join(folder, String(number)), path.join(folder, `~${randomUUID()}`), async (unfinished) => {
        const handle = await open(unfinished, 'wx', 0o600);
        try {
          await writeFile(handle, hashedSlices(body, hash));
          await handle.sync();
        } finally {
          await handle.close();
        }
      });
    } catch (error) {
      throw (await isFolder(folder)) ? error : new UploadGone(key);
    }
    return { number, tag: hash.digest('hex'), sizeBytes: body.length };
  }

  /** @param parts in their order */
  async assemble(key: string, uploadId: string, parts: readonly PartTag[]): Promise<void> {
    const folder = await this.folderOf(key, uploadId);
    try {
      const contentType = await readFile(path.join(folder, CONTENT_TYPE_FILE), 'utf8');
      await this.root.replace(key, (unfinished) =>
        writeLabelled(unfinished, contentsOf(key, folder, parts), contentType),
      );
    } catch (error) {
      throw (await isFolder(folder)) ? error : new UploadGone(key);
    }
    await rm(folder, { recursive: true, force: true });
    await rmdir(path.dirname(folder)).catch(() => undefined); // the key may have other uploads
  }

  async discard(key: string): Promise<void> {
    await rm(await this.root.partsFolder(key), { recursive: true, force: true });
  }

  private async folderOf(key: string, uploadId: string): Promise<string> {
    const uploads = await this.root.partsFolder(key);
    if (!UPLOAD_ID.test(uploadId)) throw new UploadGone(key);
    return path.join(uploads, uploadId);
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return (await lstat(folder).catch(nullIfAbsent))?.isDirectory() === true;
}

function* hashedSlices(body: Buffer, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    const slice = body.subarray(at, at + SLICE_BYTES);
    hash.update(slice);
    yield slice;
  }
}

/** Proves on the way that each part is the one that its tag was given for: another worker may have replaced it since. */
async function* contentsOf(key: string, folder: string, parts: readonly PartTag[]): AsyncGenerator<Buffer> {
  for (const { number, tag } of parts) {
    const hash = createHash('sha256');
    const file = path.join(folder, String(number));
    if (!(await lstat(file).catch(nullIfAbsent))) throw new ObjectChanged(key);
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    for await (const chunk of createReadStream(file, { flags: flags as never, highWaterMark: SLICE_BYTES })) {
      hash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
    if (hash.digest('hex') !== tag) throw new ObjectChanged(key);
  }
}
