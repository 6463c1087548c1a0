import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { assertContractSchema } from '../support/contract.js';
import { anEventType, registerType, type Organisation } from '../support/event-types.js';

describe('POST /ipm/specimen/get', () => {
  let api: TestApi;
  let builtin: BuiltinCatalog;
  let owner: Organisation;
  beforeAll(async () => {
    api = await TestApi.start();
    builtin = api.app.get(BuiltinCatalog);
  });
  beforeEach(async () => {
    owner = await api.anOwner();
  });
  afterAll(() => api.close());

  const get = (body: object): Promise<ApiAnswer> => api.call('/specimen/get', body, owner);

  it('answers a built-in event by service and action', async () => {
    const { status, body } = await get({ name: 'scm.purchase_order.released' });
    expect(status).toBe(200);
    const specimen = builtin.findNewest('scm', 'purchase_order.released')!.specimen;
    expect(body.data).toEqual({ name: 'scm.purchase_order.released', specimen });
  });

  it('answers a shape by its name, as the contract has it', async () => {
    const { body } = await get({ name: 'webhook' });
    expect(body.data.name).toBe('webhook');
    assertContractSchema('Webhook', body.data.specimen);
  });

  it('answers all built-in events and shapes as a map where no name is given, also without a body', async () => {
    const names = [
      ...builtin.newestTypes().map(({ service, action }) => `${service}.${action}`),
      ...builtin.shapes.keys(),
    ];
    for (const answer of [await get({}), await get({ name: null }), await api.send('/specimen/get', owner)]) {
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.body.data as object)).toEqual(['specimens']);
      expect(Object.keys(answer.body.data.specimens as object).sort()).toEqual(names.sort());
    }
  });

  it('has the same specimen in the map as by name', async () => {
    const { specimens } = (await get({})).body.data as { specimens: Record<string, object> };
    for (const name of ['webhook', 'ics.stock_level.changed', 'ipm.webhook.created']) {
      expect((await get({ name })).body.data.specimen).toEqual(specimens[name]);
    }
  });

  it('answers the specimen of the newest registered version', async () => {
    const type = anEventType();
    const specimenOf = (version: string): object => ({ payload: { version } });
    for (const schema_version of ['1.9', '1.10'])
      await registerType(api, owner, { ...type, schema_version, specimen: specimenOf(schema_version) });
    const name = `own.${type.action}`;
    expect((await get({ name })).body.data).toEqual({ name, specimen: specimenOf('1.10') });
    expect((await get({})).body.data.specimens[name]).toEqual(specimenOf('1.10'));
  });

  it('keeps the built-in specimens in the map however many types an organisation registers', async () => {
    await api.database.asOwner(
      `insert into event_type (orgcode, service, action, schema_version, version_order, validation, schema, specimen, created_by)
       select $1, 'aaa', 'thing.n' || n, '1.0', '{1,0}', 'warn', '{}', '{"payload":{}}', 'spec' from generate_series(1, 300) n`,
      [owner.orgcode],
    );
    const { specimens } = (await get({})).body.data as { specimens: Record<string, object> };
    for (const { service, action } of builtin.newestTypes())
      expect(Object.keys(specimens)).toContain(`${service}.${action}`);
    expect(Object.keys(specimens).filter((name) => name.startsWith('aaa.')).length).toBeLessThanOrEqual(256);
  });

  it.each([
    'nope',
    'scm',
    'scm.',
    'scm.nope',
    '.',
    'webhook.',
    'Webhook',
    '__proto__',
    'constructor',
    'scm.purchase_order',
  ])('knows no %s', async (name) => {
    const { status, body } = await get({ name });
    expect([status, body.error?.error_code]).toEqual([404, 'specimen_not_found']);
  });

  it('knows no specimen of a registered type that came without one', async () => {
    const type = anEventType();
    await registerType(api, owner, type);
    expect((await get({ name: `own.${type.action}` })).status).toBe(404);
    expect(Object.keys((await get({})).body.data.specimens as object)).not.toContain(`own.${type.action}`);
  });

  it.each([[''], [7], [{}], ['x'.repeat(162)]])('refuses the name %j', async (name) => {
    const { status, body } = await get({ name });
    expect([status, body.error?.error_code]).toEqual([400, 'request_invalid']);
  });
});
