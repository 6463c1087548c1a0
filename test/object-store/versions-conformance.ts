import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { ObjectAbsent, ObjectChanged } from '../../src/platform/object-store/object-store-failures.js';
import { bytesOf, type StoreScene } from './store-scene.js';

/** Versions of objects: what was read or looked at is what is read, and pinned, later. */
export function behavesWithVersions(scene: StoreScene): void {
  async function written(text: string, key = scene.aKey()): Promise<{ key: string; version: string }> {
    await scene.store.put(key, Buffer.from(text));
    return { key, version: (await scene.store.stat(key))!.version };
  }

  it('tells another version after another write, and the same until then', async () => {
    const { key, version } = await written('first');
    expect((await scene.store.stat(key))?.version).toBe(version);
    expect((await written('second', key)).version).not.toBe(version);
  });

  it('keeps the content type, and calls what has none bytes', async () => {
    const { key } = await written('bytes');
    expect((await scene.store.stat(key))?.contentType).toBe('application/octet-stream');
    await scene.store.put(key, Buffer.from('{}\n'), { contentType: 'application/x-ndjson' });
    expect(await scene.store.stat(key)).toMatchObject({ contentType: 'application/x-ndjson', sizeBytes: 3 });
  });

  it.each([
    [0, '0123456789'],
    [1, '123456789'],
    [9, '9'],
    [10, ''],
    [11, ''],
  ])('reads from byte %d on', async (fromByte, text) => {
    const { key, version } = await written('0123456789');
    expect((await bytesOf(await scene.store.get(key, { fromByte })))?.toString()).toBe(text);
    expect((await bytesOf(await scene.store.get(key, { fromByte, version })))?.toString()).toBe(text);
  });

  it('reads from the middle of an object of many blocks', async () => {
    const key = scene.aKey();
    const body = randomBytes(3_000_001);
    await scene.store.put(key, body);
    const found = await bytesOf(await scene.store.get(key, { fromByte: 1_234_567 }));
    expect(found?.equals(body.subarray(1_234_567))).toBe(true);
  });

  it('reads nothing of an empty object', async () => {
    const { key } = await written('');
    expect(await bytesOf(await scene.store.get(key))).toHaveLength(0);
    expect(await bytesOf(await scene.store.get(key, { fromByte: 5 }))).toHaveLength(0);
  });

  it('refuses to read another version, from wherever', async () => {
    const { key, version } = await written('first');
    await written('second', key);
    for (const fromByte of [0, 2, 100])
      await expect(scene.store.get(key, { version, fromByte })).rejects.toThrow(ObjectChanged);
  });

  it('answers null for a version of what is absent', async () => {
    const { key, version } = await written('gone');
    await scene.store.delete(key);
    expect(await scene.store.get(key, { version, fromByte: 1 })).toBeNull();
  });

  it('lets a stream that is not wanted be destroyed before and while it is read', async () => {
    const { key } = await written('x'.repeat(3_000_000));
    (await scene.store.get(key))!.destroy();
    const begun = (await scene.store.get(key))!;
    await once(begun, 'readable');
    begun.destroy();
    expect((await scene.store.stat(key))?.sizeBytes).toBe(3_000_000);
  });

  it('pins a version, which then stays whatever becomes of where it came from', async () => {
    const [key, to] = [scene.aKey(), scene.aKey()];
    await scene.store.put(key, Buffer.from('pinned'), { contentType: 'application/json' });
    const pinned = await scene.store.pin(key, to, (await scene.store.stat(key))!.version);
    expect(pinned).toMatchObject({ sizeBytes: 6, contentType: 'application/json' });
    expect(pinned).toEqual(await scene.store.stat(to));
    await written('another', key);
    expect(await scene.textOf(to)).toBe('pinned');
    await scene.store.delete(key);
    expect(await bytesOf(await scene.store.get(to, { version: pinned.version }))).toEqual(Buffer.from('pinned'));
  });

  it('pins the same twice, and over what was pinned before', async () => {
    const { key, version } = await written('first');
    const to = scene.aKey();
    const once = await scene.store.pin(key, to, version);
    expect((await scene.store.pin(key, to, version)).version).toBe(once.version);
    const second = await written('second', key);
    await scene.store.pin(key, to, second.version);
    expect(await scene.textOf(to)).toBe('second');
  });

  it('pins no other version, and leaves alone what is there', async () => {
    const { key, version } = await written('first');
    await written('second', key);
    const { key: to } = await written('kept');
    await expect(scene.store.pin(key, to, version)).rejects.toThrow(ObjectChanged);
    expect(await scene.textOf(to)).toBe('kept');
  });

  it('pins nothing that is absent', async () => {
    const { key, version } = await written('gone');
    await scene.store.delete(key);
    const to = scene.aKey();
    await expect(scene.store.pin(key, to, version)).rejects.toThrow(ObjectAbsent);
    expect(await scene.store.stat(to)).toBeNull();
  });
}
