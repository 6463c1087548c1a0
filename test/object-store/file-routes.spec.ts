import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectStoreUnavailable } from '../../src/platform/object-store/object-store-failures.js';
import { MAX_UPLOAD_BYTES, type ObjectStore } from '../../src/platform/object-store/object-store.js';
import { until } from '../support/until.js';
import { startFolderUnderTest, type FolderOptions, type FolderUnderTest } from './folder-under-test.js';

const MEBIBYTE = 1024 * 1024;
const NDJSON = 'application/x-ndjson';
const PATIENT = { idleMs: 10_000, settleMs: 10_000, slowestBytesPerMs: 1 };

describe('the routes behind the URLs of a folder', () => {
  let files: FolderUnderTest;
  afterEach(() => files.stop());

  async function start(options: FolderOptions = {}): Promise<void> {
    files = await startFolderUnderTest(options);
  }

  function uploadUrl(key = 'a'): Promise<string> {
    return files.store.uploadUrl(key, { contentType: NDJSON, openedAt: new Date(), lifetimeSeconds: 60 });
  }

  function downloadUrl(key = 'a'): Promise<string> {
    const life = { openedAt: new Date(), lifetimeSeconds: 60 };
    return files.store.downloadUrl(key, { contentType: NDJSON, fileName: 'a.ndjson', ...life });
  }

  /** A PUT whose body the test sends by itself. */
  async function aPut(lengthBytes: number, url?: string): Promise<ClientRequest> {
    const headers = { 'content-type': NDJSON, 'content-length': lengthBytes };
    const sending = request(url ?? (await uploadUrl()), { method: 'PUT', headers, agent: new Agent() });
    sending.on('error', () => undefined).flushHeaders();
    return sending;
  }

  async function answerTo(
    sending: ClientRequest,
  ): Promise<{ status: number; body: { error?: { error_code: string } } }> {
    const [answer] = (await once(sending, 'response')) as [IncomingMessage];
    const text = Buffer.concat(await answer.toArray()).toString();
    return { status: answer.statusCode!, body: text === '' ? {} : (JSON.parse(text) as object) };
  }

  function closed(sending: ClientRequest): Promise<void> {
    return new Promise((resolve) => sending.once('close', () => resolve()));
  }

  const unfinished = (): Promise<string[]> => readdir(path.join(files.folder, '~unfinished')).catch(() => []);

  it('refuse a stranger before the body has come, and store nothing', async () => {
    await start();
    const forged = (await uploadUrl()).slice(0, -4);
    const sending = await aPut(MEBIBYTE, `${forged}AAAA`);
    const { status, body } = await answerTo(sending);
    expect(status).toBe(403);
    expect(body).toMatchObject({ success: false, error: { error_code: 'file_link_invalid', retryable: false } });
    expect(JSON.stringify(body)).not.toMatch(/at |\.ts|\.js/);
    expect(await unfinished()).toEqual([]);
    sending.destroy();
  });

  it.each(['', '?link=', '?link=a', '?link=a.b', '?link=a.b.c', '?link=a&link=b', '?other=a', '?link=%00.%ff'])(
    'refuse /files%s',
    async (query) => {
      await start();
      const answer = await fetch(`http://127.0.0.1:${files.port}/files${query}`);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { error_code: 'file_link_invalid' } });
    },
  );

  it('say what is wrong with a body before it has come', async () => {
    await start();
    const tooLarge = await aPut(MAX_UPLOAD_BYTES + 1);
    expect(await answerTo(tooLarge)).toMatchObject({
      status: 413,
      body: { error: { error_code: 'body_too_large', details: { max_bytes: MAX_UPLOAD_BYTES } } },
    });
    const chunked = request(await uploadUrl(), { method: 'PUT', headers: { 'content-type': NDJSON } });
    chunked.on('error', () => undefined).write('x');
    expect(await answerTo(chunked)).toMatchObject({
      status: 411,
      body: { error: { error_code: 'file_length_required' } },
    });
    const other = await fetch(await uploadUrl(), {
      method: 'PUT',
      body: 'x',
      headers: { 'content-type': 'text/html' },
    });
    expect(await other.json()).toMatchObject({
      error: { error_code: 'file_content_type_differs', details: { content_type: NDJSON } },
    });
    tooLarge.destroy();
    chunked.destroy();
    expect(await unfinished()).toEqual([]);
  });

  it('leave nothing behind of an upload that is broken off, and what was there', async () => {
    await start();
    await files.store.put('a', Buffer.from('before'));
    const sending = await aPut(10 * MEBIBYTE);
    sending.write(Buffer.alloc(MEBIBYTE));
    await until(async () => (await unfinished()).length === 1);
    sending.destroy();
    await until(async () => (await unfinished()).length === 0);
    expect((await files.store.stat('a'))?.sizeBytes).toBe(6);
  });

  it('take no more of a body than the store takes', async () => {
    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    const slow = (store: ObjectStore): ObjectStore =>
      changed(store, { put: (...put) => waiting.then(() => store.put(...put)) });
    await start({ served: slow });
    const sending = await aPut(64 * MEBIBYTE);
    let sentBytes = 0;
    const block = Buffer.alloc(MEBIBYTE);
    const all = (async () => {
      for (let sent = 0; sent < 64; sent += 1) {
        await new Promise((resolve) => sending.write(block, resolve));
        sentBytes += block.length;
      }
    })();
    await sleep(300);
    expect(sentBytes).toBeLessThan(24 * MEBIBYTE);
    goOn();
    await all;
    expect((await answerTo(sending)).status).toBe(200);
    expect((await files.store.stat('a'))?.sizeBytes).toBe(64 * MEBIBYTE);
  });

  it('cut off an upload that falls silent', async () => {
    await start({ limits: { ...PATIENT, idleMs: 150 } });
    const sending = await aPut(100);
    sending.write('x');
    await closed(sending);
    await until(async () => (await unfinished()).length === 0);
    expect(await files.store.stat('a')).toBeNull();
  });

  it('cut off an upload that drips', async () => {
    await start({ limits: { ...PATIENT, idleMs: 300 } });
    const sending = await aPut(200);
    const dripping = setInterval(() => sending.write('x'), 50);
    const startedAt = performance.now();
    await closed(sending);
    clearInterval(dripping);
    expect(performance.now() - startedAt).toBeGreaterThan(400);
    await until(async () => (await unfinished()).length === 0);
  });

  it('let an upload last longer than any other request may', async () => {
    await start({ requestTimeoutMs: 200, limits: PATIENT });
    const sending = await aPut(8);
    for (let byte = 0; byte < 8; byte += 1) {
      await sleep(100);
      sending.write('x');
    }
    expect((await answerTo(sending)).status).toBe(200);
    expect((await files.store.stat('a'))?.sizeBytes).toBe(8);
  });

  it('answer 503 while the client is still sending when the store fails, and go on serving the connection', async () => {
    const full = (store: ObjectStore): ObjectStore =>
      changed(store, {
        put: async (key, body) => {
          await once(body as Readable, 'readable');
          (body as Readable).destroy();
          throw new ObjectStoreUnavailable(`is full for ${key}`, new Error('ENOSPC'));
        },
      });
    await start({ served: full });
    const sending = await aPut(MEBIBYTE);
    sending.write(Buffer.alloc(1_000));
    const answer = answerTo(sending);
    expect(await answer).toMatchObject({ status: 503, body: { error: { error_code: 'object_store_unavailable' } } });
    sending.destroy();
  });

  it('give the rest of a file only of the version that was begun', async () => {
    await start();
    await files.store.put('a', Buffer.from('0123456789'));
    const etag = (await fetch(await downloadUrl())).headers.get('etag')!;
    const rest = { headers: { range: 'bytes=4-', 'if-range': etag } };
    expect(await (await fetch(await downloadUrl(), rest)).text()).toBe('456789');
    await files.store.put('a', Buffer.from('abcdefghij'));
    const whole = await fetch(await downloadUrl(), rest);
    expect([whole.status, await whole.text()]).toEqual([200, 'abcdefghij']);
  });

  it('break off a download whose file breaks, so that nobody takes it for whole', async () => {
    const breaking = (store: ObjectStore): ObjectStore =>
      changed(store, {
        get: () =>
          Promise.resolve(
            Readable.from(
              (async function* () {
                yield Buffer.alloc(100_000);
                await sleep(50);
                throw new ObjectStoreUnavailable('cannot read its disk', new Error('EIO'));
              })(),
              { objectMode: false },
            ),
          ),
      });
    await start({ served: breaking });
    await files.store.put('a', Buffer.alloc(200_000));
    const answer = await fetch(await downloadUrl());
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it('cut off a download that nobody reads', async () => {
    await start({ limits: { ...PATIENT, idleMs: 200 } });
    await files.store.put('a', Buffer.alloc(32 * MEBIBYTE));
    const asking = request(await downloadUrl(), { agent: new Agent() }).on('error', () => undefined);
    const [answer] = (await once(asking.end(), 'response')) as [IncomingMessage];
    await sleep(600);
    await expect(answer.toArray()).rejects.toThrow('aborted');
  });
});

/** The store with some of its methods replaced. */
function changed(store: ObjectStore, methods: Partial<ObjectStore>): ObjectStore {
  return new Proxy(store, {
    get: (target, name) => {
      const replaced = methods[name as keyof ObjectStore];
      const method: unknown = replaced ?? Reflect.get(target, name);
      return typeof method === 'function' && !replaced ? method.bind(target) : method;
    },
  });
}
