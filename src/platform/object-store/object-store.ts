import { randomBytes, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';

export interface PutOptions {
  /** Needed for a stream: a store has to know the length before the first byte. */
  readonly lengthBytes?: number;
}

export interface ObjectStat {
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

const CHECK_DEADLINE_MS = 10_000;
const PROBE_BYTES = 64;

/** Where files live. An object is visible whole or not at all; an absent one is null; deleting an absent one is no error. */
export abstract class ObjectStore {
  /** Replaces an object of the same key. A stream given here is always used up or destroyed. */
  abstract put(key: string, body: Buffer | Readable, options?: PutOptions): Promise<void>;

  /** The caller reads the stream to its end or destroys it; a transfer that breaks is an error of the stream. */
  abstract get(key: string): Promise<Readable | null>;

  abstract stat(key: string): Promise<ObjectStat | null>;

  abstract delete(key: string): Promise<void>;

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

async function during<T>(step: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new Error(`the object store cannot ${step}: ${reasonOf(cause)}`, { cause });
  }
}

/** Failed connections to several addresses come as an AggregateError without a message of its own. */
function reasonOf(cause: unknown): string {
  const { message = '', code } = cause as { message?: string; code?: string };
  return message === '' ? String(code ?? cause) : message;
}
