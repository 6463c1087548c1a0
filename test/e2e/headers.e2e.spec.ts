import { TestApi, writeGrounds } from '../support/api.js';
import { rawRequest } from '../support/raw-http.js';

describe('headers of answers', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  let port: number;

  beforeAll(async () => {
    api = await TestApi.start({ IPM_DOCS: 'on' });
    ({ orgcode, key } = await api.anOwner());
    await api.app.listen(0, '127.0.0.1');
    ({ port } = api.app.getHttpServer().address() as { port: number });
  });
  afterAll(() => api.close());

  const SAFE = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  };

  it.each([
    ['a success', 'POST /ipm/pagination/get HTTP/1.1', true, 200],
    ['a refusal', 'POST /ipm/pagination/get HTTP/1.1', false, 401],
    ['a missing route', 'POST /ipm/nothing HTTP/1.1', true, 404],
    ['a probe', 'GET /health/live HTTP/1.1', false, 200],
    ['readiness', 'GET /health/ready HTTP/1.1', false, 200],
    ['a route for anyone', 'GET /ipm/stat HTTP/1.1', false, 200],
    ['the document', 'GET /openapi.json HTTP/1.1', false, 200],
  ])('forbid caching, sniffing and framing: %s', async (_name, line, withKey, status) => {
    const answer = await rawRequest(port, [line, ...(withKey ? [`x-orgcode: ${orgcode}`, `x-api-key: ${key}`] : [])]);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(SAFE);
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    expect(answer.headers).not.toHaveProperty('server');
  });

  it('say JSON in UTF-8 for every answer of the product', async () => {
    const good = await rawRequest(port, ['GET /ipm/stat HTTP/1.1']);
    const refused = await rawRequest(port, ['POST /ipm/pagination/get HTTP/1.1']);
    for (const { headers } of [good, refused]) expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('give no other origin leave to read', async () => {
    const { headers } = await rawRequest(port, ['GET /ipm/stat HTTP/1.1', 'origin: https://evil.example']);
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it('tell when to come back exactly where a retry helps', async () => {
    const write = { ...writeGrounds(orgcode), caption: 'x', expected_revision: '99' };
    const stale = await api.call('/access/org/set', write, { orgcode, key });
    expect(stale.status).toBe(409);
    expect(stale.body.error?.retryable).toBe(false);
    expect(stale.headers).not.toHaveProperty('retry-after');
  });
});
