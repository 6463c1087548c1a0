import { randomBytes, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { partsInOrder, sizeOfParts, type PartTag } from './object-parts.js';
import { ObjectStoreUnavailable, UploadGone } from './object-store-failures.js';

/** What one PUT carries and one copy pins in S3. */
export const MAX_UPLOAD_BYTES = 5 * 1024 ** 3;
export const UNNAMED_CONTENT_TYPE = 'application/octet-stream';

export interface PutOptions {
  /** Needed for a stream: a store has to know the length before the first byte. */
  readonly lengthBytes?: number;
  readonly contentType?: string | undefined;
}

export interface GetOptions {
  /** The first byte that is read, from 0. From the end on there is nothing. */
  readonly fromByte?: number;
  /** Only this version is read; another fails as ObjectChanged. */
  readonly version?: string;
}

export interface ObjectStat {
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Two versions of a key that differ in their bytes differ in this. Means nothing beyond its store and key. */
  readonly version: string;
  readonly contentType: string;
}

/** When a URL was opened and how long it works: the same arguments give the same URL. */
export interface UrlLife {
  readonly openedAt: Date;
  readonly lifetimeSeconds: number;
}

export interface UploadUrlOptions extends UrlLife {
  /** Whoever uploads has to send exactly this. */
  readonly contentType: string;
}

export interface DownloadUrlOptions extends UrlLife {
  /** What a browser saves it as. */
  readonly fileName: string;
  readonly contentType: string;
  readonly contentEncoding?: string;
}

export interface PartsOptions {
  readonly contentType: string;
  readonly contentEncoding?: string;
}

const CHECK_DEADLINE_MS = 10_000;
const PROBE_BYTES = 64;

/**
 * Where files live. An object is visible whole or not at all; an absent one is null; deleting an absent one is no error. Every
 * operation fails with ObjectStoreUnavailable where the store cannot do its work, streams that it gives out included.
 */
export abstract class ObjectStore {
  /** Replaces an object of the same key. A stream given here is always used up or destroyed. */
  abstract put(key: string, body: Buffer | Readable, options?: PutOptions): Promise<void>;

  /** The caller reads the stream to its end or destroys it; a transfer that breaks is an error of the stream. */
  abstract get(key: string, options?: GetOptions): Promise<Readable | null>;

  abstract stat(key: string): Promise<ObjectStat | null>;

  abstract delete(key: string): Promise<void>;

  /** Copies this version inside the store; fails with ObjectChanged or ObjectAbsent where it is not there any more. */
  abstract pin(from: string, to: string, version: string): Promise<ObjectStat>;

  /** A URL that takes one object of this key by PUT, again and again while it lives, of MAX_UPLOAD_BYTES at most. */
  abstract uploadUrl(key: string, options: UploadUrlOptions): Promise<string>;

  /** A URL that gives this object by GET, as a file to save. */
  abstract downloadUrl(key: string, options: DownloadUrlOptions): Promise<string>;

  /** Begins an upload in parts, which survives the process that began it. Nothing is visible before it is complete. */
  abstract openParts(key: string, options: PartsOptions): Promise<string>;

  /** Parts are numbered from 1 to MAX_PARTS; the same number again replaces. Fails with UploadGone. */
  abstract putPart(key: string, uploadId: string, number: number, body: Buffer): Promise<PartTag>;

  /**
   * Puts the parts together, in the order of their numbers. May be repeated when the answer was lost: an upload that is gone while
   * an object of that size is there was completed. Otherwise UploadGone; ObjectChanged where a part was replaced since.
   */
  async completeParts(key: string, uploadId: string, parts: readonly PartTag[]): Promise<ObjectStat> {
    const ordered = partsInOrder(parts);
    const gone = await this.assemble(key, uploadId, ordered).catch(onlyUploadGone);
    const present = await this.stat(key);
    // Some stores find nothing wrong with completing what they do not know, if there is any object of that key.
    if (present?.sizeBytes === sizeOfParts(ordered)) return present;
    throw gone ?? new UploadGone(key);
  }

  /** Forgets all uploads in parts that this key has, and their parts. */
  abstract discardParts(key: string): Promise<void>;

  /** Fails with UploadGone if the store does not know the upload. @param parts in their order */
  protected abstract assemble(key: string, uploadId: string, parts: readonly PartTag[]): Promise<void>;

  /** Proves that the store keeps what it is given; fails with one clear sentence, and never later than the deadline. */
  async check(deadlineMs = CHECK_DEADLINE_MS): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`the object store did not finish its check within ${deadlineMs} ms`));
      }, deadlineMs);
    });
    try {
      await Promise.race([this.probe(), deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async probe(): Promise<void> {
    const key = `probe/${randomUUID()}`;
    const written = randomBytes(PROBE_BYTES);
    try {
      await during('write', this.put(key, written));
      const found = await during('read', this.readProbe(key));
      if (!found.equals(written)) throw new Error('the object store gives back other bytes than were written');
    } catch (error) {
      await this.delete(key).catch(() => undefined);
      throw error;
    }
    await during('delete', this.delete(key));
  }

  private async readProbe(key: string): Promise<Buffer> {
    const stream = await this.get(key);
    if (!stream) throw new Error('what was just written is absent');
    const chunks: Buffer[] = [];
    let seenBytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      seenBytes += chunk.length;
      if (seenBytes > PROBE_BYTES) break;
    }
    return Buffer.concat(chunks);
  }
}

function onlyUploadGone(error: unknown): UploadGone {
  if (error instanceof UploadGone) return error;
  throw error;
}

async function during<T>(step: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new Error(`the object store cannot ${step}: ${reasonOf(cause)}`, { cause });
  }
}

/** Failed connections to several addresses come as an AggregateError without a message of its own. */
function reasonOf(cause: unknown): string {
  if (cause instanceof ObjectStoreUnavailable) return `it ${cause.reason}`;
  const { message = '', code } = cause as { message?: string; code?: string };
  return message === '' ? String(code ?? cause) : message;
}
