import { link, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { FileLink, FileLinks } from './file-links.js';
import { folderFailure } from './folder-failure.js';
import { FolderParts } from './folder-parts.js';
import { flushFolder, FolderRoot, nullIfAbsent } from './folder-root.js';
import { LabelledFile, writeLabelled } from './labelled-file.js';
import { exactly, withFailures } from './object-body.js';
import { assertObjectKey } from './object-key.js';
import type { PartTag } from './object-parts.js';
import { ObjectAbsent, ObjectChanged } from './object-store-failures.js';
import type { FolderStoreConfiguration } from './object-store-options.js';
import {
  ObjectStore,
  UNNAMED_CONTENT_TYPE,
  type DownloadUrlOptions,
  type GetOptions,
  type ObjectStat,
  type PartsOptions,
  type PutOptions,
  type UploadUrlOptions,
  type UrlLife,
} from './object-store.js';

/** Objects as files below one folder, for one machine. Its URLs are served by the API. */
export class FolderObjectStore extends ObjectStore {
  private readonly root: FolderRoot;
  private readonly parts: FolderParts;

  constructor(
    { folder }: FolderStoreConfiguration,
    private readonly links: FileLinks,
  ) {
    super();
    this.root = new FolderRoot(folder);
    this.parts = new FolderParts(this.root);
  }

  async put(key: string, body: Buffer | Readable, options: PutOptions = {}): Promise<void> {
    const { lengthBytes, contentType = UNNAMED_CONTENT_TYPE } = options;
    try {
      const bytes = Buffer.isBuffer(body) ? body : exactly(lengthBytes, body);
      await translated(this.root.replace(key, (unfinished) => writeLabelled(unfinished, bytes, contentType)));
    } finally {
      if (!Buffer.isBuffer(body)) body.destroy();
    }
  }

  async get(key: string, { fromByte = 0, version }: GetOptions = {}): Promise<Readable | null> {
    const file = await translated(this.open(key));
    if (!file) return null;
    const changed = version !== undefined && version !== file.stat.version;
    const stream = changed ? undefined : file.read(fromByte);
    if (stream) return withFailures(stream, folderFailure);
    await file.close();
    if (changed) throw new ObjectChanged(key);
    return Readable.from([]);
  }

  async stat(key: string): Promise<ObjectStat | null> {
    const file = await translated(this.open(key));
    await file?.close();
    return file && file.stat;
  }

  async delete(key: string): Promise<void> {
    await translated(this.remove(key));
  }

  /** A second link to the same file: no file of an object is ever written again, so neither of the two can change. */
  async pin(from: string, to: string, version: string): Promise<ObjectStat> {
    const source = await translated(this.root.find(from));
    if (!source) throw new ObjectAbsent(from);
    const pinned = this.root.replace(to, async (unfinished) => {
      await link(source, unfinished).catch(nullIfAbsent);
      const file = await LabelledFile.open(unfinished);
      if (!file) throw new ObjectAbsent(from);
      await file.close();
      if (file.stat.version !== version) throw new ObjectChanged(from);
      return file.stat;
    });
    return translated(pinned);
  }

  uploadUrl(key: string, { contentType, ...life }: UploadUrlOptions): Promise<string> {
    return this.urlOf({ method: 'PUT', key, contentType }, life);
  }

  downloadUrl(key: string, options: DownloadUrlOptions): Promise<string> {
    const { fileName, contentType, contentEncoding, ...life } = options;
    return this.urlOf({ method: 'GET', key, contentType, fileName, contentEncoding }, life);
  }

  async openParts(key: string, options: PartsOptions): Promise<string> {
    return translated(this.parts.open(key, options));
  }

  async putPart(key: string, uploadId: string, number: number, body: Buffer): Promise<PartTag> {
    return translated(this.parts.put(key, uploadId, number, body));
  }

  async discardParts(key: string): Promise<void> {
    await translated(this.parts.discard(key));
  }

  protected async assemble(key: string, uploadId: string, parts: readonly PartTag[]): Promise<void> {
    return translated(this.parts.assemble(key, uploadId, parts));
  }

  private async open(key: string): Promise<LabelledFile | null> {
    const file = await this.root.find(key);
    return file === null ? null : LabelledFile.open(file);
  }

  private async remove(key: string): Promise<void> {
    const file = await this.root.find(key);
    if (file === null) return;
    await unlink(file).catch(nullIfAbsent);
    await flushFolder(path.dirname(file));
  }

  private async urlOf(link: Omit<FileLink, 'expiresAtSeconds'>, life: UrlLife): Promise<string> {
    assertObjectKey(link.key);
    const openedAtSeconds = Math.floor(life.openedAt.getTime() / 1000);
    return this.links.urlOf({ ...link, expiresAtSeconds: openedAtSeconds + life.lifetimeSeconds });
  }
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw folderFailure(error);
  }
}
