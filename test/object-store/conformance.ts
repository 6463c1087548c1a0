import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ObjectStore } from '../../src/platform/object-store/object-store.js';
import { behavesWithParts } from './parts-conformance.js';
import { bytesOf, StoreScene } from './store-scene.js';
import { behavesWithUrls } from './url-conformance.js';
import { behavesWithVersions } from './versions-conformance.js';

const MEBIBYTE = 1024 * 1024;
const PART = { number: 1, tag: 't', sizeBytes: 1 };

/** A stream that gives some bytes, and then breaks. */
export function breakingAfter(bytes: Buffer): Readable {
  return Readable.from(
    (async function* () {
      yield bytes;
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new Error('the source broke');
    })(),
    { objectMode: false },
  );
}

/** What every object store does. @param open gives the store, made before the tests start */
export function behavesAsObjectStore(open: () => ObjectStore): void {
  const scene = new StoreScene(open);
  const { prefix } = scene;
  let store: ObjectStore;

  function aKey(name?: string): string {
    return scene.aKey(name);
  }

  async function aWritten(): Promise<string> {
    const key = aKey();
    await store.put(key, Buffer.from('x'));
    return key;
  }

  beforeAll(() => {
    store = open();
  });

  afterAll(() => scene.clear());

  describe('versions', () => behavesWithVersions(scene));

  describe('signed URLs', () => behavesWithUrls(scene));

  describe('uploads in parts', () => behavesWithParts(scene));

  it.each([0, 1, 65_537])('gives back a buffer of %d bytes as it was put', async (length) => {
    const key = aKey();
    const body = randomBytes(length);
    await store.put(key, body);
    expect((await bytesOf(await store.get(key)))?.equals(body)).toBe(true);
  });

  it.each([0, 1, 65_537])('gives back a stream of %d bytes as it was put', async (length) => {
    const key = aKey();
    const body = randomBytes(length);
    await store.put(key, Readable.from([body], { objectMode: false }), { lengthBytes: length });
    expect((await bytesOf(await store.get(key)))?.equals(body)).toBe(true);
  });

  it('carries a stream of 24 MiB in and out unchanged', async () => {
    const key = aKey();
    const block = randomBytes(MEBIBYTE);
    const sent = createHash('sha256');
    const blocks = function* (): Generator<Buffer> {
      for (let index = 0; index < 24; index += 1) {
        const numbered = Buffer.concat([Buffer.from([index]), block.subarray(1)]);
        sent.update(numbered);
        yield numbered;
      }
    };
    await store.put(key, Readable.from(blocks(), { objectMode: false }), { lengthBytes: 24 * MEBIBYTE });
    const received = createHash('sha256');
    await pipeline((await store.get(key))!, received);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  it('tells size and time of an object', async () => {
    const key = aKey();
    await store.put(key, Buffer.from('12345'));
    const stat = await store.stat(key);
    expect(stat?.sizeBytes).toBe(5);
    expect(Math.abs(stat!.modifiedAt.getTime() - Date.now())).toBeLessThan(5 * 60_000);
  });

  it('replaces an object of the same key', async () => {
    const key = aKey();
    await store.put(key, Buffer.from('the first, and the longer one'));
    await store.put(key, Buffer.from('the second'));
    expect((await bytesOf(await store.get(key)))?.toString()).toBe('the second');
  });

  it('answers null for what is absent, also below an object and for a prefix of keys', async () => {
    const key = aKey('folder/object');
    await store.put(key, Buffer.from('x'));
    for (const absent of [`${prefix}/absent`, `${prefix}/absent/too`, `${key}/below`, key.replace('/object', '')]) {
      expect(await store.get(absent)).toBeNull();
      expect(await store.stat(absent)).toBeNull();
    }
  });

  it('deletes, and finds nothing wrong with deleting what is absent', async () => {
    const key = aKey();
    await store.put(key, Buffer.from('x'));
    await store.delete(key);
    expect(await store.get(key)).toBeNull();
    expect(await store.stat(key)).toBeNull();
    await expect(store.delete(key)).resolves.toBeUndefined();
  });

  it('keeps neighbouring keys apart', async () => {
    const keys = ['a', 'a.b', 'a-', 'A-b_c', '.a'].map((name) => `${prefix}/neighbours/${name}`);
    for (const key of keys) await store.put(scene.use(key), Buffer.from(key));
    for (const key of keys) expect((await bytesOf(await store.get(key)))?.toString()).toBe(key);
  });

  it('shows readers one whole version while writers replace it', async () => {
    const key = aKey();
    const version = (letter: string): Buffer => Buffer.alloc(256 * 1024, letter);
    await store.put(key, version('a'));
    const writes = ['b', 'c', 'd', 'e'].map((letter) => store.put(key, version(letter)));
    const reads = Array.from({ length: 8 }, async () => (await bytesOf(await store.get(key)))!);
    for (const found of await Promise.all(reads))
      expect(found.equals(version(String.fromCharCode(found[0]!)))).toBe(true);
    await Promise.all(writes);
  });

  it('keeps the object that was there when the new body breaks, and fails with the error of the body', async () => {
    const key = aKey();
    await store.put(key, Buffer.from('before'));
    for (const length of [100_000, 20 * MEBIBYTE]) {
      const put = store.put(key, breakingAfter(Buffer.alloc(length, 'x')), { lengthBytes: 2 * length });
      await expect(put).rejects.toThrow('the source broke');
    }
    expect((await bytesOf(await store.get(key)))?.toString()).toBe('before');
  });

  it('stores nothing when the body breaks after its last byte', async () => {
    const key = aKey();
    const put = store.put(key, breakingAfter(Buffer.alloc(1_000, 'x')), { lengthBytes: 1_000 });
    await expect(put).rejects.toThrow('the source broke');
    expect(await store.get(key)).toBeNull();
  });

  it.each([
    ['longer', 999, /longer than the 999 bytes announced/],
    ['shorter', 1_001, /ended after 1000 of 1001 bytes/],
  ])('stores nothing of a body that is %s than announced', async (_which, lengthBytes, message) => {
    const key = aKey();
    const body = Readable.from([Buffer.alloc(600), Buffer.alloc(400)], { objectMode: false });
    await expect(store.put(key, body, { lengthBytes })).rejects.toThrow(message);
    expect(await store.get(key)).toBeNull();
  });

  it('refuses a stream of unknown length, and does not leave it open', async () => {
    const body = Readable.from([Buffer.from('x')], { objectMode: false });
    await expect(store.put(aKey(), body)).rejects.toThrow('lengthBytes');
    expect(body.destroyed).toBe(true);
  });

  it('takes a key of 200 characters', async () => {
    const key = scene.use(`${prefix}/long/`.padEnd(200, 'k'));
    expect(key).toHaveLength(200);
    await store.put(key, Buffer.from('x'));
    expect((await store.stat(key))?.sizeBytes).toBe(1);
  });

  it.each([
    ['empty', ''],
    ['absolute', '/etc/passwd'],
    ['climbing', '../outside'],
    ['climbing in the middle', 'a/../../outside'],
    ['dotted', 'a/./b'],
    ['with two dots in a name', 'a..b'],
    ['with an empty segment', 'a//b'],
    ['ending in a slash', 'a/'],
    ['with a backslash', 'a\\..\\b'],
    ['with NUL', 'a\0b'],
    ['percent-encoded', 'a/%2e%2e/b'],
    ['with a line end', 'a\n'],
    ['not ASCII', 'ａ'],
    ['of 201 characters', 'k'.repeat(201)],
  ])('refuses a key that is %s, for every operation', async (_which, key) => {
    const body = Readable.from([Buffer.from('x')], { objectMode: false });
    await expect(store.put(key, body, { lengthBytes: 1 })).rejects.toThrow('object key refused');
    expect(body.destroyed).toBe(true);
    await expect(store.put(key, Buffer.from('x'))).rejects.toThrow('object key refused');
    await expect(store.get(key)).rejects.toThrow('object key refused');
    await expect(store.stat(key)).rejects.toThrow('object key refused');
    await expect(store.delete(key)).rejects.toThrow('object key refused');
    await expect(store.pin(key, 'a', 'v')).rejects.toThrow('object key refused');
    await expect(store.pin(await aWritten(), key, 'v')).rejects.toThrow('object key refused');
    await expect(store.openParts(key, { contentType: 'text/plain' })).rejects.toThrow('object key refused');
    await expect(store.putPart(key, 'x', 1, Buffer.from('x'))).rejects.toThrow('object key refused');
    await expect(store.completeParts(key, 'x', [PART])).rejects.toThrow('object key refused');
    await expect(store.discardParts(key)).rejects.toThrow('object key refused');
    const life = { openedAt: new Date(), lifetimeSeconds: 60, contentType: 'text/plain' };
    await expect(store.uploadUrl(key, life)).rejects.toThrow('object key refused');
    await expect(store.downloadUrl(key, { ...life, fileName: 'x' })).rejects.toThrow('object key refused');
  });

  it('passes its own check', async () => {
    await expect(store.check()).resolves.toBeUndefined();
  });
}
