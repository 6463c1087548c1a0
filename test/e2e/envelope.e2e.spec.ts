import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { operationsOf } from '../support/operations.js';
import { rawRequest } from '../support/raw-http.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the envelope', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => {
    api = await TestApi.start();
    ({ orgcode, key } = await api.anOwner());
  });
  afterAll(() => api.close());

  function ask(headers: Record<string, string> = {}, as: string | undefined = key): Promise<ApiAnswer> {
    return api.call('/pagination/get', {}, { orgcode, key: as, headers });
  }

  it('of a success holds data and stats, and no error', async () => {
    const { body } = await ask({ 'x-cccode': 'cc-1' });
    expect(Object.keys(body).sort()).toEqual(['data', 'stats', 'success']);
    expect(body).toMatchObject({
      success: true,
      stats: {
        call: 'pagination/get',
        service: 'ipm',
        actor: expect.stringMatching(/^api_key:/),
        context_source: 'api_key',
        api_key_fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
        orgcode,
        cccode: 'cc-1',
        roles: ['owner'],
        build: { build_major: expect.any(String), build_minor: expect.any(String), build_id: expect.any(String) },
      },
    });
    expect(Math.abs(Date.parse(body.stats!.timestamp_utc) - Date.now())).toBeLessThan(5_000);
  });

  it('of a refusal holds the error in full and stats, and no data', async () => {
    const { status, body, headers } = await ask(
      { 'x-request-id': 'r-1', traceparent: `00-${'12'.repeat(16)}-${'34'.repeat(8)}-00` },
      'wrong',
    );
    expect(Object.keys(body).sort()).toEqual(['error', 'stats', 'success']);
    expect(body.success).toBe(false);
    expect(body.error).toEqual({
      error_code: 'credential_invalid',
      http_status: status,
      retryable: false,
      request_id: 'r-1',
      trace_id: '12'.repeat(16),
      major: { tag: 'authentication', message: { en_US: expect.any(String) } },
      minor: { tag: 'credential_invalid', message: { en_US: expect.any(String) } },
    });
    expect(body.stats).toMatchObject({ call: 'pagination/get', request_id: 'r-1' });
    expect(headers['x-request-id']).toBe('r-1');
  });

  it('names the call by its path below /ipm for every operation', async () => {
    for (const { call, path, method } of operationsOf(api.app)) {
      const { body } = method === 'GET' ? await api.send(path, { method }) : await api.call(path, {});
      expect(body.stats?.call).toBe(call);
    }
  });

  it('carries the revision of the one record in data, and none for lists and others', async () => {
    const { orgcode: org, key: owner } = await api.anOwner();
    const { body } = await api.call(
      '/access/org/set',
      { ...writeGrounds(org), expected_revision: '1', caption: 'x' },
      { orgcode: org, key: owner },
    );
    expect(body.revision).toBe('2');
    expect(body.revision).toBe(body.data.org.revision);
    const { body: list } = await api.call('/access/key/list', {}, { orgcode: org, key: owner });
    expect(list).not.toHaveProperty('revision');
  });

  it('shows where a write belongs as its context says, and nothing else of that context', async () => {
    const { orgcode: org, key: owner } = await api.anOwner();
    const grounds = writeGrounds(org);
    const request_context = {
      ...grounds.request_context,
      logical_guid: 'store-1',
      channel_code: 'web',
      cccode: 'cc-2',
      actor: 'mallory',
      roles: ['god'],
    };
    const { body } = await api.call(
      '/access/org/set',
      { ...grounds, request_context, expected_revision: '1' },
      { orgcode: org, key: owner },
    );
    expect(body.stats).toMatchObject({
      logical_guid: 'store-1',
      channel_code: 'web',
      actor: expect.stringMatching(/^api_key:/),
      roles: ['owner'],
    });
    expect(JSON.stringify(body)).not.toMatch(/mallory|god/);
  });

  it.each([
    ['orgcode', { orgcode: 'another' }, {}, 'orgcode_mismatch'],
    ['cccode', { cccode: 'one' }, { 'x-cccode': 'two' }, 'cccode_mismatch'],
  ])('is a refusal when the %s of the context is not the one of the header', async (_name, context, headers, tag) => {
    const { orgcode: org, key: owner } = await api.anOwner();
    const grounds = writeGrounds(org);
    const request = {
      ...grounds,
      request_context: { ...grounds.request_context, ...context },
      expected_revision: '1',
      caption: 'changed',
    };
    const answer = await api.call('/access/org/set', request, {
      orgcode: org,
      key: owner,
      headers: headers as Record<string, string>,
    });
    expect(answer).toMatchObject({ status: 400, body: { error: { error_code: tag } } });
    expect((await api.call('/access/org/get', {}, { orgcode: org, key: owner })).body.data.org.revision).toBe('1');
  });

  describe('and request ids', () => {
    it.each(['a', 'x'.repeat(128), '~!@#$%^&*()', '00000000-0000-0000-0000-000000000000'])(
      'of the caller are kept: %s',
      async (id) => {
        const { body, headers } = await ask({ 'x-request-id': id });
        expect([body.stats?.request_id, headers['x-request-id']]).toEqual([id, id]);
      },
    );

    it.each(['', 'x'.repeat(129), 'a b', 'caf\u00e9', 'a\tb'])(
      'that are no visible ASCII of 1 to 128 are replaced by ours: "%s"',
      async (id) => {
        const { body, headers } = await ask({ 'x-request-id': id });
        expect(body.stats?.request_id).toMatch(UUID);
        expect(headers['x-request-id']).toBe(body.stats?.request_id);
      },
    );

    it('are made where none is given, each time another', async () => {
      const ids = await Promise.all([ask(), ask()]);
      expect(new Set(ids.map(({ body }) => body.stats?.request_id)).size).toBe(2);
    });
  });

  describe('and traces', () => {
    const traceOf = async (traceparent?: string): Promise<string | undefined> =>
      (await ask(traceparent === undefined ? {} : { traceparent }, 'wrong')).body.error?.trace_id;
    const trace = 'ab'.repeat(16);
    const span = 'cd'.repeat(8);

    it.each([`00-${trace}-${span}-01`, `00-${trace}-${span}-00`, `01-${trace}-${span}-01-more`])(
      'of the caller go on: %s',
      async (traceparent) => {
        expect(await traceOf(traceparent)).toBe(trace);
      },
    );

    it.each([
      '',
      'nonsense',
      trace,
      `00-${trace.toUpperCase()}-${span}-01`,
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `ff-${trace}-${span}-01`,
      `00-${trace.slice(1)}-${span}-01`,
    ])('that are malformed are replaced: "%s"', async (traceparent) => {
      const given = await traceOf(traceparent);
      expect(given).toMatch(/^[0-9a-f]{32}$/);
      expect(given).not.toBe(trace);
      expect(given).not.toBe(trace.slice(1));
    });
  });

  describe('and a defect', () => {
    it('is 500 that tells nothing of SQL, stacks or libraries', async () => {
      const { orgcode: org, key: owner } = await api.anOwner();
      await api.database.asOwner(`alter table organisation rename column caption to hidden_caption`);
      try {
        const { status, body } = await api.call('/access/org/get', {}, { orgcode: org, key: owner });
        expect({ status, tag: body.error?.error_code, major: body.error?.major.tag }).toEqual({
          status: 500,
          tag: 'internal_error',
          major: 'internal',
        });
        expect(JSON.stringify(body)).not.toMatch(/caption|column|select|prisma|postgres|\.ts|\.js|at .*\(/i);
        expect(body.error).not.toHaveProperty('details');
      } finally {
        await api.database.asOwner(`alter table organisation rename column hidden_caption to caption`);
      }
    });
  });

  describe('where there is no such route', () => {
    let port: number;
    beforeAll(async () => {
      await api.app.listen(0, '127.0.0.1');
      ({ port } = api.app.getHttpServer().address() as { port: number });
    });

    const send = (line: string, credentials = true): ReturnType<typeof rawRequest> =>
      rawRequest(port, [`${line} HTTP/1.1`, ...(credentials ? [`x-orgcode: ${orgcode}`, `x-api-key: ${key}`] : [])]);

    it.each([
      'POST /ipm/nothing',
      'GET /ipm/pagination/get',
      'PUT /ipm/pagination/get',
      'PATCH /ipm/access/org/set',
      'DELETE /ipm/access/org/set',
      'OPTIONS /ipm/pagination/get',
      'POST /ipm/stat',
      'POST /ipm/pagination/get/',
      'POST //ipm/pagination/get',
      'POST /ipm//pagination/get',
      'POST /IPM/pagination/get',
      'POST /ipm/Pagination/Get',
      'POST /pagination/get',
      'POST /ipm/pagination%2Fget',
      'POST /ipm/pagination/get%20',
      'POST /ipm/pagination/get;x=1',
      'POST /ipm/./pagination/get',
      'POST /ipm/x/../pagination/get',
      'GET /',
      'GET /ipm',
      'GET /docs',
      'GET /openapi.json',
      'GET /metrics/of/nobody',
    ])('it says 404: %s', async (line) => {
      for (const credentials of [true, false]) {
        const { status, text } = await send(line, credentials);
        expect(status).toBe(404);
        expect(JSON.parse(text)).toMatchObject({
          success: false,
          error: { error_code: 'route_not_found' },
          stats: { call: 'unknown' },
        });
      }
    });

    it('HEAD is none either, with headers only', async () => {
      expect(await send('HEAD /ipm/stat')).toMatchObject({ status: 404, text: '' });
    });

    it.each([
      'POST /ipm/%70agination/get',
      'POST /ipm/pagination/%67et',
      'POST /%69pm/pagination/get',
      'POST /ipm/pagination/get?x=1',
      'POST /ipm/pagination/get#x',
      'POST http://evil.example/ipm/pagination/get',
    ])('and another spelling of a route never gets past the guard: %s', async (line) => {
      const without = await send(line, false);
      expect([401, 404, 400]).toContain(without.status);
      const withKey = await send(line);
      if (without.status === 401) expect(withKey.status).toBe(200);
      else expect(withKey.status).toBe(without.status);
    });

    it.each([
      'GET /ipm/schema/%zz/a/1.0',
      'GET /ipm/%',
      `GET /ipm/schema/${'a'.repeat(300)}/b/1.0`,
      'GET /ipm/schema/a%00b/c/1.0',
      'GET /ipm/schema/%C3%28/c/1.0',
      'GET /ipm/schema/../../1.0',
      "GET /ipm/schema/a'%20or%201=1--/c/1.0",
    ])('and a path that cannot be read is refused in an envelope: %s', async (line) => {
      const { status, text, headers } = await send(line);
      const answer = JSON.parse(text) as ApiAnswer['body'];
      expect(status).toBe(404);
      expect(answer).toMatchObject({
        success: false,
        error: { http_status: 404, major: { tag: 'not_found' } },
        stats: { service: 'ipm' },
      });
      expect(headers['x-request-id']).toBe(answer.error?.request_id);
      expect(headers['cache-control']).toBe('no-store');
      expect(text).not.toMatch(/FST_|component|length/);
    });
  });
});
