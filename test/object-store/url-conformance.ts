import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { DownloadUrlOptions, UploadUrlOptions } from '../../src/platform/object-store/object-store.js';
import type { StoreScene } from './store-scene.js';

const NDJSON = 'application/x-ndjson';
const HOUR_MS = 3_600_000;

/** URLs for whoever has no key of the store, with a plain HTTP client. */
export function behavesWithUrls(scene: StoreScene): void {
  const openedAt = new Date();
  const upload = { openedAt, lifetimeSeconds: 3_600, contentType: NDJSON };
  const download = { ...upload, fileName: 'events.ndjson' };

  function uploadUrl(key: string, changes: Partial<UploadUrlOptions> = {}): Promise<string> {
    return scene.store.uploadUrl(key, { ...upload, ...changes });
  }

  function downloadUrl(key: string, changes: Partial<DownloadUrlOptions> = {}): Promise<string> {
    return scene.store.downloadUrl(key, { ...download, ...changes });
  }

  async function put(url: string, body: string | Buffer, contentType = NDJSON): Promise<number> {
    const answer = await fetch(url, { method: 'PUT', body, headers: { 'content-type': contentType } });
    await answer.arrayBuffer();
    return answer.status;
  }

  async function aWritten(text: string): Promise<string> {
    const key = scene.aKey();
    await scene.store.put(key, Buffer.from(text));
    return key;
  }

  it('take an object by PUT, with its content type', async () => {
    const key = scene.aKey();
    expect(await put(await uploadUrl(key), '{"a":1}\n')).toBe(200);
    expect(await scene.textOf(key)).toBe('{"a":1}\n');
    expect(await scene.store.stat(key)).toMatchObject({ sizeBytes: 8, contentType: NDJSON });
  });

  it.each(['application/json', 'application/gzip'])('take bytes of %s as they are', async (contentType) => {
    const key = scene.aKey();
    const body = randomBytes(2_000_000);
    expect(await put(await uploadUrl(key, { contentType }), body, contentType)).toBe(200);
    expect(await scene.store.stat(key)).toMatchObject({ sizeBytes: body.length, contentType });
  });

  it('take an empty object', async () => {
    const key = scene.aKey();
    expect(await put(await uploadUrl(key), '')).toBe(200);
    expect((await scene.store.stat(key))?.sizeBytes).toBe(0);
  });

  it('take another object while they live, which changes nothing of what was pinned', async () => {
    const [key, pinned] = [scene.aKey(), scene.aKey()];
    const url = await uploadUrl(key);
    await put(url, 'first');
    await scene.store.pin(key, pinned, (await scene.store.stat(key))!.version);
    expect(await put(url, 'second')).toBe(200);
    expect(await scene.textOf(key)).toBe('second');
    expect(await scene.textOf(pinned)).toBe('first');
  });

  it('keep one of two objects that come at once, whole', async () => {
    const key = scene.aKey();
    const url = await uploadUrl(key);
    const bodies = ['a', 'b', 'c'].map((letter) => letter.repeat(1_000_000));
    expect(await Promise.all(bodies.map((body) => put(url, body)))).toEqual([200, 200, 200]);
    expect(bodies).toContain(await scene.textOf(key));
  });

  it('are the same for the same arguments, and others for others', async () => {
    const key = scene.aKey();
    expect(await uploadUrl(key)).toBe(await uploadUrl(key));
    expect(await downloadUrl(key)).toBe(await downloadUrl(key));
    const later = { openedAt: new Date(openedAt.getTime() + 1_000) };
    expect(await uploadUrl(key, later)).not.toBe(await uploadUrl(key));
  });

  it('refuse another content type, and none', async () => {
    const key = scene.aKey();
    expect(await put(await uploadUrl(key), '{}', 'application/json')).toBe(403);
    expect((await fetch(await uploadUrl(key), { method: 'PUT', body: Buffer.from('{}') })).status).toBe(403);
    expect(await scene.store.stat(key)).toBeNull();
  });

  it('refuse a body of unknown length', async () => {
    const key = scene.aKey();
    const sending = request(await uploadUrl(key), { method: 'PUT', headers: { 'content-type': NDJSON } });
    sending.on('error', () => undefined).write('{}\n');
    const [answer] = (await once(sending.end(), 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(await scene.store.stat(key)).toBeNull();
  });

  it('refuse to be used for the other method', async () => {
    const key = await aWritten('kept');
    expect((await fetch(await uploadUrl(key))).status).toBe(403);
    expect(await put(await downloadUrl(key), 'changed')).toBe(403);
    expect(await scene.textOf(key)).toBe('kept');
  });

  it('refuse to be used once they are over', async () => {
    const key = await aWritten('kept');
    const over = { openedAt: new Date(Date.now() - HOUR_MS), lifetimeSeconds: 3_500 };
    expect(await put(await uploadUrl(key, over), 'changed')).toBe(403);
    expect((await fetch(await downloadUrl(key, over))).status).toBe(403);
    const alive = { openedAt: new Date(Date.now() - HOUR_MS), lifetimeSeconds: 3_700 };
    expect((await fetch(await downloadUrl(key, alive))).status).toBe(200);
    expect(await scene.textOf(key)).toBe('kept');
  });

  it('refuse every change of what is signed', async () => {
    const key = await aWritten('kept');
    for (const url of [await uploadUrl(key), await downloadUrl(key)]) {
      const method = url === (await uploadUrl(key)) ? 'PUT' : 'GET';
      for (const changed of changesOf(url)) {
        const headers = { 'content-type': NDJSON };
        const answer = await fetch(changed, { method, headers, ...(method === 'PUT' ? { body: 'changed' } : {}) });
        expect({ changed, refused: answer.status >= 400 && answer.status < 500 }).toEqual({ changed, refused: true });
        expect(await answer.text()).not.toContain('kept');
      }
    }
    expect(await scene.textOf(key)).toBe('kept');
  });

  it('give an object by GET, as a file of that name and type', async () => {
    const answer = await fetch(await downloadUrl(await aWritten('{"a":1}\n')));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(NDJSON);
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="events.ndjson"');
    expect(answer.headers.get('content-length')).toBe('8');
    expect(await answer.text()).toBe('{"a":1}\n');
  });

  it('give what is stored as gzip to a client that unpacks it', async () => {
    const key = scene.aKey();
    await scene.store.put(key, gzipSync('{"a":1}\n'));
    const answer = await fetch(await downloadUrl(key, { contentEncoding: 'gzip' }));
    expect(await answer.text()).toBe('{"a":1}\n');
  });

  it('name a file harmlessly, whatever its name', async () => {
    const fileName = 'ä"; filename=evil\r\nx-evil: 1/../📦.ndjson';
    const answer = await fetch(await downloadUrl(await aWritten('x'), { fileName }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-evil')).toBeNull();
    const [plain, encoded = ''] = answer.headers.get('content-disposition')!.split("; filename*=UTF-8''");
    expect(plain).toMatch(/^attachment; filename="[A-Za-z0-9 ._-]+"$/);
    expect(decodeURIComponent(encoded)).toBe(fileName);
    await answer.arrayBuffer();
  });

  it('go on with a download from the middle', async () => {
    const rest = await fetch(await downloadUrl(await aWritten('0123456789')), { headers: { range: 'bytes=4-' } });
    expect(rest.status).toBe(206);
    expect(rest.headers.get('content-range')).toBe('bytes 4-9/10');
    expect(await rest.text()).toBe('456789');
  });

  it('answer 404 for what is absent', async () => {
    const answer = await fetch(await downloadUrl(scene.aKey()));
    expect(answer.status).toBe(404);
    await answer.arrayBuffer();
  });
}

/** Each value of the query, and the path, with one character more or another one. */
function changesOf(url: string): string[] {
  const { origin, pathname, searchParams } = new URL(url);
  const changed = [...searchParams].flatMap(([name, value]) => {
    const middle = Math.floor(value.length / 2);
    const other = value[middle] === '1' ? '2' : '1';
    return [`${value.slice(0, middle)}${other}${value.slice(middle + 1)}`, `${value}0`, ''].map((another) => {
      const parameters = new URLSearchParams(searchParams);
      parameters.set(name, another);
      return `${origin}${pathname}?${parameters.toString()}`;
    });
  });
  return [...changed, `${origin}${pathname}`, `${origin}${pathname}x?${searchParams.toString()}`];
}
