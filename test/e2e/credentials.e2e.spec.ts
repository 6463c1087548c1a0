import { randomUUID } from 'node:crypto';
import { newApiKey } from '../../src/access/api-key.js';
import { rawRequest } from '../support/raw-http.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

type Headers = Record<string, string>;

describe('a bad credential', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  let bad: Record<string, Headers>;

  beforeAll(async () => {
    api = await TestApi.start();
    ({ orgcode, key } = await api.anOwner());
    bad = await badCredentials();
  });
  afterAll(() => api.close());

  function ask(headers: Headers, org: string | undefined = orgcode): Promise<ApiAnswer> {
    return api.call('/pagination/get', {}, { orgcode: org, headers });
  }

  async function badCredentials(): Promise<Record<string, Headers>> {
    const lastCharacter = key.endsWith('a') ? 'b' : 'a';
    return {
      none: {},
      unknown: { 'x-api-key': newApiKey().apiKey },
      revoked: { 'x-api-key': await aRevokedKey() },
      expired: { 'x-api-key': await anExpiredKey() },
      mistyped: { 'x-api-key': key.slice(0, -1) + lastCharacter },
      'of another making': { 'x-api-key': 'x' },
      empty: { 'x-api-key': '' },
      'over long': { 'x-api-key': 'k'.repeat(9_000) },
      'two kinds, one of them good': { 'x-api-key': key, 'x-session-guid': randomUUID() },
      'a good key beside a bearer token': { 'x-api-key': key, authorization: 'Bearer abc' },
      'a good key beside basic authentication': { 'x-api-key': key, authorization: 'Basic eDp5' },
      'a good key in the wrong header': { 'x-session-guid': key },
      'a good key as bearer token': { authorization: `Bearer ${key}` },
      'an unknown session': { 'x-session-guid': randomUUID() },
      'a session that is no GUID': { 'x-session-guid': "' or true --" },
      'a malformed bearer': { authorization: 'Bearer' },
      'a bearer of two words': { authorization: 'Bearer a b' },
      'a bearer that is no token': { authorization: 'Bearer not.a.token' },
    };
  }

  async function aRevokedKey(): Promise<string> {
    const revoked = await api.aKey(orgcode, 'owner');
    const { body } = await api.call('/access/key/list', { limit: 1 }, { orgcode, key });
    const request = { ...writeGrounds(orgcode), key_id: body.data.items[0].key_id };
    const answer = await api.call('/access/key/revoke', request, { orgcode, key });
    expect(answer.status).toBe(200);
    return revoked;
  }

  async function anExpiredKey(): Promise<string> {
    const expired = await api.aKey(orgcode, 'owner');
    const changed = await api.database.asOwner(
      `update api_key set expires_at = now() - interval '1 second'
       where key_id = (select key_id from api_key where orgcode = $1 order by created_at desc limit 1) returning 1`,
      [orgcode],
    );
    expect(changed).toHaveLength(1);
    return expired;
  }

  /** All that may differ between two refusals. */
  function withoutIds({ status, headers, body }: ApiAnswer): object {
    const others = Object.entries(headers).filter(
      ([name]) => !['x-request-id', 'date', 'content-length'].includes(name),
    );
    const error = { ...body.error, request_id: '', trace_id: '' };
    return {
      status,
      headers: Object.fromEntries(others),
      body: { ...body, error, stats: { ...body.stats, request_id: '', timestamp_utc: '' } },
    };
  }

  it('is accepted when it is good, so that the cases below are refused for what is wrong with them', async () => {
    expect((await ask({ 'x-api-key': key })).status).toBe(200);
  });

  it('is answered 401 with one and the same body, whatever is wrong with it', async () => {
    const answers = await Promise.all(Object.values(bad).map((headers) => ask(headers)));
    const [first] = answers;
    expect(first).toMatchObject({
      status: 401,
      body: {
        success: false,
        error: { error_code: 'credential_invalid', major: { tag: 'authentication' }, retryable: false },
      },
    });
    for (const [i, name] of Object.keys(bad).entries())
      expect({ name, ...withoutIds(answers[i]!) }).toEqual({ name, ...withoutIds(first!) });
  });

  it('is answered alike whichever organisation is named, so that nobody learns which exist', async () => {
    for (const org of [orgcode, 'no-such-org', '!', undefined])
      expect(withoutIds(await ask(bad.unknown!, org))).toEqual(withoutIds(await ask(bad.none!)));
  });

  it('shows nothing of the credential, of who owns it or of the organisation', async () => {
    for (const headers of Object.values(bad)) {
      const { body } = await ask(headers);
      const text = JSON.stringify(body);
      for (const secret of Object.values(headers).filter((value) => value.length > 8))
        expect(text).not.toContain(secret);
      expect(body.stats).not.toHaveProperty('actor');
      expect(body.stats).not.toHaveProperty('orgcode');
    }
  });

  it('is refused when the same header is sent twice, also with the same good key', async () => {
    await api.app.listen(0, '127.0.0.1');
    const { port } = api.app.getHttpServer().address() as { port: number };
    const head = ['POST /ipm/pagination/get HTTP/1.1', `x-orgcode: ${orgcode}`, `x-api-key: ${key}`];
    expect((await rawRequest(port, head)).status).toBe(200);
    expect((await rawRequest(port, [...head, `x-api-key: ${key}`])).status).toBe(401);
    expect((await rawRequest(port, [...head, 'x-api-key: other'])).status).toBe(401);
  });
});
