import { randomBytes } from 'node:crypto';
import { ObjectStore } from '../../src/platform/object-store/object-store.js';
import { TestApi } from '../support/api.js';

const GZIP = 'application/gzip';

describe('/files, where a folder keeps the files', () => {
  let api: TestApi;
  let store: ObjectStore;
  let base: string;

  beforeAll(async () => {
    api = await TestApi.start();
    store = api.app.get(ObjectStore);
    await api.app.listen(0, '127.0.0.1');
    base = `http://127.0.0.1:${(api.app.getHttpServer().address() as { port: number }).port}`;
  });
  afterAll(() => api.close());

  /** The URL as it is handed out, asked at the port where this process listens. */
  function here(url: string): string {
    expect(url.startsWith('https://ipm.example/files?')).toBe(true);
    return url.replace('https://ipm.example', base);
  }

  const life = { openedAt: new Date(), lifetimeSeconds: 600, contentType: GZIP };

  it('takes and gives files that are larger than any other body may be', async () => {
    const body = randomBytes(12 * 1024 * 1024);
    const upload = here(await store.uploadUrl('large', life));
    const sent = await fetch(upload, { method: 'PUT', body, headers: { 'content-type': GZIP } });
    expect([sent.status, await sent.text()]).toEqual([200, '']);
    expect(await store.stat('large')).toMatchObject({ sizeBytes: body.length, contentType: GZIP });
    const given = await fetch(here(await store.downloadUrl('large', { ...life, fileName: 'large.gz' })));
    expect(Buffer.from(await given.arrayBuffer()).equals(body)).toBe(true);
    expect(Object.fromEntries(given.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-disposition': 'attachment; filename="large.gz"',
      'content-type': GZIP,
      'x-content-type-options': 'nosniff',
    });
  });

  it.each(['application/json', 'application/x-ndjson'])('takes %s without reading it', async (contentType) => {
    const url = here(await store.uploadUrl('unread', { ...life, contentType }));
    const answer = await fetch(url, { method: 'PUT', body: '{"no JSON', headers: { 'content-type': contentType } });
    expect(answer.status).toBe(200);
    expect((await store.stat('unread'))?.sizeBytes).toBe(9);
  });

  it('asks for nothing but the signature, and takes nothing else for it', async () => {
    const { orgcode, key } = await api.anOwner();
    const headers = { 'content-type': GZIP, 'x-orgcode': orgcode, 'x-api-key': key };
    for (const method of ['PUT', 'GET']) {
      const answer = await fetch(`${base}/files?link=forged`, {
        method,
        headers,
        ...(method === 'PUT' ? { body: 'x' } : {}),
      });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({
        success: false,
        error: { error_code: 'file_link_invalid', http_status: 403, retryable: false },
        stats: { call: 'files' },
      });
    }
  });

  it('has no other methods', async () => {
    for (const method of ['POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])
      expect((await fetch(`${base}/files?link=x`, { method })).status).toBe(404);
  });

  it('takes no signature that was made with another secret', async () => {
    const other = await TestApi.startOn(api.database, { IPM_SECRET: 'another secret, which is long enough to be one' });
    const url = await other.app.get(ObjectStore).downloadUrl('large', { ...life, fileName: 'large.gz' });
    await other.app.close();
    expect((await fetch(here(url))).status).toBe(403);
  });

  it('is not there where S3 keeps the files', async () => {
    const withS3 = await TestApi.startOn(api.database, {
      S3_ENDPOINT: 'http://127.0.0.1:1',
      S3_BUCKET: 'ipm',
      S3_ACCESS_KEY_ID: 'ipm',
      S3_SECRET_ACCESS_KEY: 'ipm-secret',
    });
    for (const method of ['PUT', 'GET'] as const)
      expect((await withS3.app.inject({ method, url: '/files?link=x' })).statusCode).toBe(404);
    await withS3.app.close();
  });
});
