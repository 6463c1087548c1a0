import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { anEventType, registerType, type Organisation } from '../support/event-types.js';

describe('GET /ipm/schema/{service}/{action}/{version}', () => {
  let api: TestApi;
  let owner: Organisation;
  beforeAll(async () => {
    api = await TestApi.start();
    owner = await api.anOwner();
  });
  afterAll(() => api.close());

  const get = (path: string): Promise<ApiAnswer> => api.send(path, { ...owner, method: 'GET' });

  it('answers the schema of every built-in type at the address that the catalog lists', async () => {
    for (const { service, action, schemaVersion, schema, redaction } of api.app.get(BuiltinCatalog).eventTypes) {
      const { status, body } = await get(`/schema/${service}/${action}/${schemaVersion}`);
      expect(status).toBe(200);
      expect(body.data).toEqual({ service, action, schema_version: schemaVersion, schema, redaction });
    }
  });

  it('answers the schema of a line of an export, which is a shape', async () => {
    const { body } = await api.call('/export/contract/list', { service: 'scm' }, owner);
    const [contract] = body.data.contracts as { schema_url: string; schema_version: string }[];
    const path = contract!.schema_url.replace('https://ipm.example/ipm', '');
    const line = await get(path);
    expect(line.status).toBe(200);
    expect(line.body.data).toMatchObject({
      service: 'ipm',
      action: 'event_stored',
      schema_version: contract!.schema_version,
    });
  });

  it('answers a registered schema as it was sent: order of properties, texts and numbers', async () => {
    const schema = `{"type":"object","title":"Ünïcödé \\u2028 \\"quoted\\"","required":["zeta","alpha"],"properties":{"zeta":{"type":"number","minimum":0.1,"maximum":9007199254740991,"multipleOf":1e-7},"alpha":{"type":"string","const":"123456789012345678901234567890.123456789"},"mid":{"enum":[-0.000001,1.5,"9007199254740993"]}}}`;
    const type = anEventType({ schema: JSON.parse(schema) as object });
    expect((await registerType(api, owner, type)).status).toBe(200);
    const answer = await api.app.inject({
      method: 'GET',
      url: `/ipm/schema/own/${type.action}/1.0`,
      headers: { 'x-orgcode': owner.orgcode, 'x-api-key': owner.key },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain(JSON.stringify(JSON.parse(schema)));
  });

  it('answers each registered version, not only the newest', async () => {
    const type = anEventType();
    await registerType(api, owner, { ...type, schema: { title: 'first' } });
    await registerType(api, owner, { ...type, schema_version: '1.1', schema: { title: 'second' } });
    const titles = await Promise.all(
      ['1.0', '1.1'].map(
        async (version) => (await get(`/schema/own/${type.action}/${version}`)).body.data.schema.title as string,
      ),
    );
    expect(titles).toEqual(['first', 'second']);
  });

  it.each([
    '/schema/scm/purchase_order.released/9.9',
    '/schema/scm/no.such/1.0',
    '/schema/nope/purchase_order.released/1.0',
    '/schema/ipm/webhook/1.0',
    '/schema/scm/purchase_order.released/%00',
    '/schema/scm/%E2%80%A8/1.0',
    `/schema/scm/${'a'.repeat(90)}/1.0`,
    "/schema/scm/a'b/1.0",
  ])('knows no %s', async (path) => {
    const { status, body } = await get(path);
    expect([status, body.error?.error_code]).toEqual([404, 'schema_not_found']);
  });

  it('needs a credential of the organisation', async () => {
    const path = '/schema/scm/purchase_order.released/1.0';
    expect((await api.send(path, { orgcode: owner.orgcode, method: 'GET' })).status).toBe(401);
    expect((await api.send(path, { orgcode: await api.anOrg(), key: owner.key, method: 'GET' })).status).toBe(404);
  });
});
