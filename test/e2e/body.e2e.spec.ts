import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { rawRequest } from '../support/raw-http.js';

const MAX_BODY = 1024 * 1024;

describe('bodies', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  let port: number;

  beforeAll(async () => {
    api = await TestApi.start();
    await api.app.listen(0, '127.0.0.1');
    ({ port } = api.app.getHttpServer().address() as { port: number });
  });
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  function send(
    payload: string | Buffer | undefined,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<ApiAnswer> {
    return api.send('/specimen/get', { orgcode, key, headers }, payload);
  }

  /** A write with the caption as raw JSON, to see what is kept of it. */
  function setCaption(json: string): Promise<ApiAnswer> {
    const grounds = JSON.stringify({ ...writeGrounds(orgcode), expected_revision: '1' }).slice(0, -1);
    return api.send(
      '/access/org/set',
      { orgcode, key, headers: { 'content-type': 'application/json' } },
      `${grounds},"caption":${json}}`,
    );
  }

  async function presentCaption(): Promise<string | undefined> {
    const { body } = await api.call('/access/org/get', {}, { orgcode, key });
    return body.data.org.caption;
  }

  describe('of another media type are 415', () => {
    it.each([
      ['text', 'text/plain'],
      ['a form', 'application/x-www-form-urlencoded'],
      ['multipart', 'multipart/form-data; boundary=x'],
      ['XML', 'application/xml'],
      ['a patch', 'application/json-patch+json'],
      ['newline-delimited JSON', 'application/x-ndjson'],
      ['JSON in Latin-1', 'application/json; charset=iso-8859-1'],
      ['JSON in UTF-16', 'application/json;charset="utf-16"'],
      ['nonsense', 'json'],
    ])('%s', async (_name, type) => {
      expect(await send('{}', { 'content-type': type })).toMatchObject({
        status: 415,
        body: { error: { error_code: 'media_type_unsupported' } },
      });
    });

    it.each(['gzip', 'deflate', 'br', 'gzip, identity'])('with content encoding %s', async (encoding) => {
      const answer = await send('{}', { 'content-type': 'application/json', 'content-encoding': encoding });
      expect(answer).toMatchObject({ status: 415, body: { error: { error_code: 'media_type_unsupported' } } });
    });

    it('without any', async () => {
      const head = [
        'POST /ipm/specimen/get HTTP/1.1',
        `x-orgcode: ${orgcode}`,
        `x-api-key: ${key}`,
        'content-length: 2',
      ];
      expect((await rawRequest(port, head, '{}')).status).toBe(415);
    });
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF8',
    'APPLICATION/JSON',
    'application/json; charset="utf-8"',
  ])('may come as %s', async (type) => {
    expect((await send('{}', { 'content-type': type })).status).toBe(200);
  });

  it.each([
    ['absent', undefined, {}],
    ['empty', '', { 'content-type': 'application/json' }],
    ['an empty object', '{}', { 'content-type': 'application/json' }],
    ['an object with a byte order mark', '\uFEFF{}', { 'content-type': 'application/json' }],
  ])('that are %s ask for the default', async (_name, payload, headers) => {
    expect((await send(payload, headers as Record<string, string>)).status).toBe(200);
  });

  it('that write must still say why when they are empty', async () => {
    const answer = await api.send('/access/key/create', { orgcode, key });
    expect(answer).toMatchObject({ status: 400, body: { error: { error_code: 'request_invalid' } } });
    const paths = (answer.body.error?.details as { fields: { path: string }[] }).fields.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['request_context', 'reason', 'source_refs', 'roles']));
  });

  it('of one mebibyte pass, and one byte more is 413', async () => {
    const padding = MAX_BODY - '{"x":""}'.length;
    expect((await send(`{"x":"${'a'.repeat(padding)}"}`)).status).toBe(200);
    const answer = await send(`{"x":"${'a'.repeat(padding + 1)}"}`);
    expect(answer).toMatchObject({
      status: 413,
      body: { error: { error_code: 'body_too_large', details: { max_bytes: MAX_BODY } } },
    });
  });

  it('that come in chunks are counted as they come', async () => {
    const head = [
      'POST /ipm/specimen/get HTTP/1.1',
      `x-orgcode: ${orgcode}`,
      `x-api-key: ${key}`,
      'content-type: application/json',
      'transfer-encoding: chunked',
    ];
    const chunk = `${(65_536).toString(16)}\r\n${'a'.repeat(65_536)}\r\n`;
    const { status, text } = await rawRequest(port, head, `${chunk.repeat(17)}0\r\n\r\n`);
    expect(status).toBe(413);
    expect(JSON.parse(text)).toMatchObject({ error: { error_code: 'body_too_large' } });
  });

  describe('that are no JSON object in UTF-8 are 400 body_malformed', () => {
    it.each([
      ['an array', '[]'],
      ['a text', '"x"'],
      ['a number', '7'],
      ['null', 'null'],
      ['true', 'true'],
      ['blank', '  '],
      ['cut off', '{"a":'],
      ['two objects', '{}{}'],
      ['single quotes', "{'a':1}"],
      ['a comment', '{/* */}'],
      ['NaN', '{"a":NaN}'],
      ['a trailing comma', '{"a":1,}'],
      ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
      ['UTF-8 cut in the middle', Buffer.from('{"a":"é').subarray(0, 7)],
      ['an over-long encoding', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
      ['an encoded surrogate', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
      ['UTF-16', Buffer.from('{}', 'utf16le')],
      ['a prototype', '{"__proto__":{"role":"owner"}}'],
      ['a prototype inside', '{"a":[{"__proto__":null}]}'],
      ['a prototype, escaped', '{"\\u005f_proto__":{}}'],
      ['a constructor with a prototype', '{"constructor":{"prototype":{}}}'],
    ])('%s', async (_name, payload) => {
      const { status, body } = await send(payload);
      expect({ status, tag: body.error?.error_code }).toEqual({ status: 400, tag: 'body_malformed' });
      expect(JSON.stringify(body)).not.toMatch(/JSON at position|Unexpected|SyntaxError/);
    });
  });

  describe('are nested 32 deep at most', () => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
    const lists = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

    it.each([nested, lists])('objects and lists alike', async (make) => {
      expect((await send(make(32))).status).toBe(200);
      expect(await send(make(33))).toMatchObject({
        status: 400,
        body: { error: { error_code: 'body_too_deep', details: { max_depth: 32 } } },
      });
    });

    it('and half a million levels are refused as well as 33', async () => {
      const { status, body } = await send(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`);
      expect({ status, tag: body.error?.error_code }).toEqual({ status: 400, tag: 'body_too_deep' });
    });
  });

  describe('with what cannot be kept exactly are 400', () => {
    it.each([
      ['NUL', '"a\\u0000b"', 'text_not_storable'],
      ['half of a surrogate pair', '"\\ud83d"', 'text_not_storable'],
      ['the other half', '"x\\ude00"', 'text_not_storable'],
      ['a pair the wrong way round', '"\\ude00\\ud83d"', 'text_not_storable'],
      ['2^53', '9007199254740992', 'number_not_exact'],
      ['-2^53', '-9007199254740992', 'number_not_exact'],
      ['an integer in exponent form', '1e21', 'number_not_exact'],
      ['beyond every number', '1e400', 'number_not_exact'],
      ['beyond every negative number', '-1e400', 'number_not_exact'],
    ])('%s', async (_name, json, tag) => {
      const answer = await setCaption(json);
      expect(answer).toMatchObject({
        status: 400,
        body: { error: { error_code: tag, details: { fields: [{ path: 'caption' }] } } },
      });
      expect(await presentCaption()).toBeUndefined();
    });

    it('also in properties that nobody reads, in names, and in lists', async () => {
      for (const body of [
        '{"unknown":{"deep":["\\u0000"]}}',
        '{"\\u0000":1}',
        '{"a":{"\\ud83d":1}}',
        '{"a":[1,[9007199254740993]]}',
      ])
        expect((await send(body)).status).toBe(400);
    });

    it('and the answer names where, readably', async () => {
      const { body } = await send('{"a":[{"b":1e400}]}');
      expect(body.error?.details).toEqual({ fields: [{ path: 'a.0.b', tag: 'not_exact' }] });
    });
  });

  it.each([
    ['the largest exact integer', '{"limit":9007199254740991}'],
    ['the smallest', '{"limit":-9007199254740991}'],
    ['fractions', '{"x":0.1,"y":-1.5e-7,"z":5e-324}'],
    ['a constructor that is a plain word', '{"constructor":"x"}'],
    ['unknown properties', '{"whatever":true,"toString":1,"hasOwnProperty":null}'],
  ])('with %s pass', async (_name, payload) => {
    expect((await send(payload)).status).toBe(200);
  });

  it.each([
    '"Zoë 👩‍👩‍👧 \\u202e ﷽ ‮ \\" \\\\ \\/ \\b\\f\\n\\r\\t"',
    '"\\ud83d\\ude00"',
    '"  spaces  "',
    '"\\u007f\\u0001"',
    '"e\\u0301 is not \\u00e9"',
  ])('with text come back as sent: %s', async (json) => {
    expect((await setCaption(json)).status).toBe(200);
    expect(await presentCaption()).toBe(JSON.parse(json));
  });

  it('may write null for an optional property, which is then absent', async () => {
    await setCaption('"kept"');
    const request = {
      ...writeGrounds(orgcode),
      expected_revision: '2',
      caption: null,
      time_zone: null,
      idempotency_key: null,
      week_start: 'sunday',
    };
    const { status, body } = await api.call('/access/org/set', request, { orgcode, key });
    expect(status).toBe(200);
    expect(body.data.org).toMatchObject({ caption: 'kept', time_zone: 'UTC', week_start: 'sunday' });
    expect((await send('{"name":null}')).status).toBe(200);
  });

  it('may not write null for a required one', async () => {
    const request = { ...writeGrounds(orgcode), roles: ['owner'], reason: null };
    const { status, body } = await api.call('/access/key/create', request, { orgcode, key });
    expect(status).toBe(400);
    expect(body.error?.details).toEqual({ fields: [{ path: 'reason', tag: 'required' }] });
  });

  it('with unknown properties never reach what is stored', async () => {
    const request = {
      ...writeGrounds(orgcode),
      roles: ['integration_view'],
      status: 'revoked',
      created_by: 'me',
      key_id: 'mine',
    };
    const { body } = await api.call('/access/key/create', request, { orgcode, key });
    expect(body.data.key).toMatchObject({ status: 'active', created_by: expect.stringMatching(/^api_key:/) });
    expect(body.data.key.key_id).not.toBe('mine');
  });

  it.each(['{"constructor": 5, "limit": "many"}', '{"constructor": {"name": "Object"}, "limit": "many"}'])(
    'checks the fields of %s all the same',
    async (payload) => {
      const options = { orgcode, key, headers: { 'content-type': 'application/json' } };
      const { status, body } = await api.send('/event/catalog/list', options, payload);
      expect([status, body.error?.details]).toEqual([400, { fields: [{ path: 'limit', tag: 'not_an_integer' }] }]);
    },
  );
});
