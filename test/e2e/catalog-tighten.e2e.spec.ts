import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { compilePayloadSchema } from '../../src/catalog/payload-schema.js';
import type { EventTypeDefinition } from '../../src/catalog/event-type.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { registerType, type Organisation } from '../support/event-types.js';

describe('registering a version of a built-in event type', () => {
  let api: TestApi;
  let owner: Organisation;
  let builtin: EventTypeDefinition;
  let sample: { field: string; payload: Record<string, unknown> };

  beforeAll(async () => {
    api = await TestApi.start();
    builtin = api.app.get(BuiltinCatalog).findNewest('scm', 'purchase_order.released')!;
    const payload = builtin.specimen!.payload as Record<string, unknown>;
    const [field] = (builtin.schema as { required: string[] }).required;
    sample = { field: field!, payload };
  });
  beforeEach(async () => {
    owner = await api.anOwner();
  });
  afterAll(() => api.close());

  const register = (change: object): Promise<ApiAnswer> =>
    registerType(api, owner, {
      service: builtin.service,
      action: builtin.action,
      schema_version: '1.1',
      schema: { type: 'object' },
      ...change,
    });
  const schemaOf = async (version: string): Promise<{ schema: object; redaction: object }> => {
    const path = `/schema/${builtin.service}/${builtin.action}/${version}`;
    return (await api.send(path, { ...owner, method: 'GET' })).body.data as { schema: object; redaction: object };
  };

  it('keeps what it leaves out, and demands both schemas', async () => {
    expect((await register({})).status).toBe(200);
    const { schema, redaction } = await schemaOf('1.1');
    expect(redaction).toEqual(builtin.redaction);
    const check = compilePayloadSchema(schema);
    expect(check(sample.payload)).toEqual([]);
    expect(check({ ...sample.payload, [sample.field]: undefined })).toEqual([
      { path: `payload.${sample.field}`, tag: 'schema_required' },
    ]);
  });

  it('raises level and redaction, in the list and in the export contract too', async () => {
    const [path, mode] = Object.entries(builtin.redaction)[0]!;
    const added = { [path]: 'drop', 'carrier.phone': 'hash' };
    const { status, body } = await register({ validation: 'enforce', redaction: added });
    expect([status, mode === 'drop']).toEqual([200, false]);
    const redaction = { ...builtin.redaction, ...added };
    expect(body.data.entry).toMatchObject({
      validation: 'enforce',
      redaction,
      origin: 'organisation',
      schema_version: '1.1',
    });
    const listed = await api.call('/event/catalog/list', { service: builtin.service, action: builtin.action }, owner);
    expect(listed.body.data.items).toEqual([body.data.entry]);
    const exported = await api.call('/export/contract/list', { service: builtin.service }, owner);
    expect(exported.body.data.contracts[0].redaction[builtin.action]).toEqual(redaction);
  });

  it('is refused where it would loosen, naming every weaker place', async () => {
    const masked = Object.entries(builtin.redaction).filter(([, mode]) => mode !== 'hash');
    expect(masked.length).toBeGreaterThan(0);
    const redaction = Object.fromEntries(masked.map(([path]) => [path, 'hash']));
    const { status, body } = await register({ schema_version: '0.9', validation: 'off', redaction });
    expect([status, body.error?.error_code]).toEqual([409, 'event_type_loosened']);
    expect((body.error?.details as { fields: object[] }).fields).toEqual([
      { path: 'schema_version', tag: 'older_than_builtin' },
      { path: 'validation', tag: 'weaker' },
      ...masked.map(([path]) => ({ path: `redaction.${path}`, tag: 'weaker' })),
    ]);
  });

  it('may use definitions of its own, and the schema that is served can be compiled', async () => {
    const schema = {
      $defs: { id: { type: 'string', maxLength: 64 } },
      properties: { [sample.field]: { $ref: '#/$defs/id' } },
    };
    expect((await register({ schema })).status).toBe(200);
    const check = compilePayloadSchema((await schemaOf('1.1')).schema);
    expect(check(sample.payload)).toEqual([]);
    expect(check({ ...sample.payload, [sample.field]: 'x'.repeat(65) })).toEqual([
      { path: `payload.${sample.field}`, tag: 'schema_maxLength' },
    ]);
  });

  it('is refused where its specimen breaks the built-in schema', async () => {
    const { status, body } = await register({ specimen: { payload: {} } });
    expect([status, body.error?.error_code]).toEqual([400, 'event_type_invalid']);
    expect((body.error?.details as { fields: object[] }).fields).toContainEqual({
      path: `specimen.payload.${sample.field}`,
      tag: 'schema_required',
    });
  });

  it('needs a specimen of its own where the built-in one breaks its schema', async () => {
    const schema = { type: 'object', properties: { incoterm: { const: 'FOB' } } };
    const refused = await register({ schema });
    expect((refused.body.error?.details as { fields: object[] }).fields).toEqual([
      { path: 'specimen.payload.incoterm', tag: 'schema_const' },
    ]);
    const specimen = { ...builtin.specimen, payload: { ...sample.payload, incoterm: 'FOB' } };
    expect((await register({ schema, specimen })).status).toBe(200);
    const shown = await api.call('/specimen/get', { name: `${builtin.service}.${builtin.action}` }, owner);
    expect(shown.body.data.specimen).toEqual(specimen);
  });

  it('adds to the facts that the built-in type demands', async () => {
    const type = api.app
      .get(BuiltinCatalog)
      .newestTypes()
      .find(({ facts }) => facts?.references === 'required')!;
    const { service, action, specimen } = type;
    const payload = { ...(specimen!.payload as object), referenced_claim_ids: [], referenced_calc_ids: [] };
    const answer = await registerType(api, owner, {
      service,
      action,
      schema_version: '9.0',
      schema: { type: 'object' },
      facts: { references: 'optional', numerics: [] },
      validation: 'enforce',
      specimen: { ...specimen, payload },
    });
    expect([answer.status, answer.body.error?.error_code]).toEqual([400, 'event_type_invalid']);
    expect((answer.body.error?.details as { fields: object[] }).fields).toContainEqual({
      path: 'specimen.payload.referenced_claim_ids',
      tag: 'reference_required',
    });
  });

  it('changes nothing for another organisation', async () => {
    await register({ validation: 'enforce' });
    const other = await api.anOwner();
    const { body } = await api.call('/event/catalog/list', { service: builtin.service, action: builtin.action }, other);
    expect(body.data.items).toEqual([
      expect.objectContaining({
        origin: 'builtin',
        validation: builtin.validation,
        schema_version: builtin.schemaVersion,
      }),
    ]);
  });
});
