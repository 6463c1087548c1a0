import { randomBytes } from 'node:crypto';
import { MAX_PARTS, MIN_PART_BYTES, type PartTag } from '../../src/platform/object-store/object-parts.js';
import { ObjectChanged, UploadGone } from '../../src/platform/object-store/object-store-failures.js';
import { bytesOf, type StoreScene } from './store-scene.js';

const NDJSON = { contentType: 'application/x-ndjson' };

/** Uploads in parts: nothing is seen before they are complete, and any step may be repeated. */
export function behavesWithParts(scene: StoreScene): void {
  const first = randomBytes(MIN_PART_BYTES);
  const second = randomBytes(MIN_PART_BYTES + 1);
  const third = randomBytes(2_500_000);

  interface Upload {
    key: string;
    uploadId: string;
  }

  async function opened(key = scene.aKey()): Promise<Upload> {
    return { key, uploadId: await scene.store.openParts(key, NDJSON) };
  }

  function put({ key, uploadId }: Upload, number: number, body: Buffer | string): Promise<PartTag> {
    return scene.store.putPart(key, uploadId, number, Buffer.from(body));
  }

  function complete({ key, uploadId }: Upload, ...parts: PartTag[]): ReturnType<typeof scene.store.completeParts> {
    return scene.store.completeParts(key, uploadId, parts);
  }

  it('puts more than 12 MiB together in the order of their numbers, whenever they came', async () => {
    const upload = await opened();
    const last = await put(upload, 30, third);
    const tags = [last, await put(upload, 1, first), await put(upload, 2, second)];
    expect(await scene.store.stat(upload.key)).toBeNull();
    const stat = await complete(upload, ...tags);
    expect(stat).toMatchObject({ ...NDJSON, sizeBytes: first.length + second.length + third.length });
    expect(stat).toEqual(await scene.store.stat(upload.key));
    const found = await bytesOf(await scene.store.get(upload.key));
    expect(found?.equals(Buffer.concat([first, second, third]))).toBe(true);
  });

  it('keeps tags that live through JSON, as whoever goes on after a crash has them', async () => {
    const upload = await opened();
    const tag = JSON.parse(JSON.stringify(await put(upload, 1, 'kept'))) as PartTag;
    expect(tag).toMatchObject({ number: 1, sizeBytes: 4 });
    await complete(upload, tag);
    expect(await scene.textOf(upload.key)).toBe('kept');
  });

  it('takes one empty part for an empty object', async () => {
    const upload = await opened();
    expect((await complete(upload, await put(upload, 1, ''))).sizeBytes).toBe(0);
  });

  it('replaces a part of the same number', async () => {
    const upload = await opened();
    await put(upload, 1, 'first');
    await complete(upload, await put(upload, 1, 'again'));
    expect(await scene.textOf(upload.key)).toBe('again');
  });

  it('completes with nothing but the parts that were asked for', async () => {
    const upload = await opened();
    const tag = await put(upload, 1, 'first');
    await put(upload, 2, 'of a worker that lost its job');
    await complete(upload, tag);
    expect(await scene.textOf(upload.key)).toBe('first');
  });

  it('refuses to complete with a part that another worker has replaced, and can then be gone on with', async () => {
    const upload = await opened();
    const tag = await put(upload, 1, 'mine');
    const replaced = await put(upload, 1, 'thei');
    await expect(complete(upload, tag)).rejects.toThrow(ObjectChanged);
    await expect(complete(upload, { ...tag, number: 2 })).rejects.toThrow(ObjectChanged);
    expect(await scene.store.stat(upload.key)).toBeNull();
    await complete(upload, replaced);
    expect(await scene.textOf(upload.key)).toBe('thei');
  });

  it('completes once more when the answer was lost', async () => {
    const upload = await opened();
    const tag = await put(upload, 1, 'whole');
    const stat = await complete(upload, tag);
    expect(await complete(upload, tag)).toEqual(stat);
  });

  it('does not take an object of another size for what the upload would have made', async () => {
    const upload = await opened();
    const tag = await put(upload, 1, 'twelve bytes');
    await scene.store.discardParts(upload.key);
    await scene.store.put(upload.key, Buffer.from('other'));
    await expect(complete(upload, tag)).rejects.toThrow(UploadGone);
    expect(await scene.textOf(upload.key)).toBe('other');
  });

  it('replaces the object that was there, and keeps it until then', async () => {
    const upload = await opened();
    await scene.store.put(upload.key, Buffer.from('before'));
    const tag = await put(upload, 1, 'after');
    expect(await scene.textOf(upload.key)).toBe('before');
    await complete(upload, tag);
    expect(await scene.textOf(upload.key)).toBe('after');
  });

  it('discards every upload of a key, and none of another', async () => {
    const [one, two] = [await opened(), await opened()];
    const again = await opened(one.key);
    const below = await opened(scene.use(`${one.key}/below`));
    const longer = await opened(scene.use(`${one.key}-longer`));
    const tag = await put(one, 1, 'x');
    await scene.store.discardParts(one.key);
    for (const gone of [one, again]) await expect(put(gone, 2, 'x')).rejects.toThrow(UploadGone);
    await expect(complete(one, tag)).rejects.toThrow(UploadGone);
    for (const kept of [two, below, longer]) expect((await put(kept, 1, 'x')).sizeBytes).toBe(1);
    expect(await scene.store.stat(one.key)).toBeNull();
  });

  it('finds nothing wrong with discarding where there is nothing, and keeps the object', async () => {
    const key = scene.aKey();
    await scene.store.put(key, Buffer.from('kept'));
    await expect(scene.store.discardParts(key)).resolves.toBeUndefined();
    expect(await scene.textOf(key)).toBe('kept');
  });

  it('keeps two uploads of one key apart', async () => {
    const [one, two] = [await opened(), await opened()];
    const other = await opened(one.key);
    const tag = await put(one, 1, 'one');
    await put(other, 1, 'other');
    await complete(one, tag);
    expect(await scene.textOf(one.key)).toBe('one');
    await expect(put({ key: two.key, uploadId: one.uploadId }, 1, 'x')).rejects.toThrow(UploadGone);
  });

  it('refuses parts that no store of ours could put together', async () => {
    const upload = await opened();
    for (const number of [0, -1, 1.5, MAX_PARTS + 1])
      await expect(put(upload, number, 'x')).rejects.toThrow('parts are numbered');
    const [small, end] = [await put(upload, 1, 'small'), await put(upload, MAX_PARTS, 'end')];
    await expect(complete(upload, small, end)).rejects.toThrow('all but the last');
    await expect(complete(upload, end, end)).rejects.toThrow('named twice');
    await expect(complete(upload)).rejects.toThrow('one part at least');
  });
}
