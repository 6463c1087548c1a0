import { TestApi, type ApiAnswer } from '../support/api.js';
import { rawRequest } from '../support/raw-http.js';

describe('the organisation of a call', () => {
  let api: TestApi;
  let own: { orgcode: string; key: string };
  let other: { orgcode: string; key: string };

  beforeAll(async () => {
    api = await TestApi.start();
    const orgcode = await api.anOrg('Mixed-Case_1');
    own = { orgcode, key: await api.aKey(orgcode, 'owner') };
    other = await api.anOwner();
  });
  afterAll(() => api.close());

  function ask(
    orgcode: string | undefined,
    headers: Record<string, string> = {},
    path = '/access/org/get',
  ): Promise<ApiAnswer> {
    return api.call(path, {}, { orgcode, key: own.key, headers });
  }

  it('is the one of the header', async () => {
    const { status, body } = await ask(own.orgcode);
    expect(status).toBe(200);
    expect(body.data.org.orgcode).toBe(own.orgcode);
    expect(body.stats?.orgcode).toBe(own.orgcode);
  });

  it('must be named', async () => {
    expect(await ask(undefined)).toMatchObject({ status: 400, body: { error: { error_code: 'orgcode_required' } } });
  });

  it.each([
    ['empty', ''],
    ['too long', 'a'.repeat(65)],
    ['with a blank', 'a b'],
    ['with a dot', 'a.b'],
    ['two in one', 'a,b'],
    ['beyond ASCII', 'caf\u00e9'],
    ['a wildcard', '%'],
  ])('must be a code: %s', async (_name, orgcode) => {
    expect(await ask(orgcode)).toMatchObject({ status: 400, body: { error: { error_code: 'orgcode_invalid' } } });
  });

  it('takes a code of 64 characters for one that may exist', async () => {
    expect((await ask('a'.repeat(64))).status).toBe(404);
  });

  it('is invalid when the header is repeated, also with the same value', async () => {
    await api.app.listen(0, '127.0.0.1');
    const { port } = api.app.getHttpServer().address() as { port: number };
    const head = ['POST /ipm/access/org/get HTTP/1.1', `x-api-key: ${own.key}`, `x-orgcode: ${own.orgcode}`];
    expect((await rawRequest(port, head)).status).toBe(200);
    for (const second of [own.orgcode, other.orgcode]) {
      const { status, text } = await rawRequest(port, [...head, `x-orgcode: ${second}`]);
      expect(status).toBe(400);
      expect(JSON.parse(text)).toMatchObject({ error: { error_code: 'orgcode_invalid' } });
    }
    const { status, text } = await rawRequest(port, [...head, 'x-cccode: a', 'x-cccode: a']);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: { error_code: 'cccode_invalid' } });
  });

  it('is not found, with one answer, when it is another one, unknown, or in another case; for reads and writes alike', async () => {
    for (const path of ['/access/org/get', '/access/org/set', '/pagination/get', '/event/catalog/register']) {
      const answers = await Promise.all(
        [other.orgcode, 'no-such-org', 'mixed-case_1', 'MIXED-CASE_1'].map((org) => ask(org, {}, path)),
      );
      const withoutIds = answers.map(({ status, body }) => {
        const stats = { ...body.stats, timestamp_utc: '', request_id: '' };
        return { status, error: { ...body.error, request_id: '', trace_id: '' }, stats };
      });
      expect(withoutIds[0]).toMatchObject({ status: 404, error: { error_code: 'org_not_found' } });
      for (const answer of withoutIds) expect(answer).toEqual(withoutIds[0]);
    }
  });

  describe('and its cost centre', () => {
    it('goes into the stats', async () => {
      const { status, body } = await ask(own.orgcode, { 'x-cccode': 'cc-7' });
      expect(status).toBe(200);
      expect(body.stats?.cccode).toBe('cc-7');
    });

    it.each(['a b', '', 'x'.repeat(65), 'a/b'])('must be a code: "%s"', async (cccode) => {
      expect(await ask(own.orgcode, { 'x-cccode': cccode })).toMatchObject({
        status: 400,
        body: { error: { error_code: 'cccode_invalid' } },
      });
    });
  });
});
