import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ObjectStore } from '../../src/platform/object-store/object-store.js';

/** A store under test, and keys of it that are deleted when all is over. */
export class StoreScene {
  readonly prefix = `conformance/${randomUUID()}`;
  private readonly used: string[] = [];

  /** @param open gives the store, made before the tests start */
  constructor(private readonly open: () => ObjectStore) {}

  get store(): ObjectStore {
    return this.open();
  }

  aKey(name = 'object.ndjson'): string {
    return this.use(`${this.prefix}/${this.used.length}/${name}`);
  }

  use(key: string): string {
    this.used.push(key);
    return key;
  }

  async textOf(key: string): Promise<string | undefined> {
    return (await bytesOf(await this.store.get(key)))?.toString();
  }

  async clear(): Promise<void> {
    for (const key of this.used) {
      await this.store.delete(key);
      await this.store.discardParts(key);
    }
  }
}

export async function bytesOf(stream: Readable | null): Promise<Buffer | null> {
  return stream && Buffer.concat(await stream.toArray());
}
