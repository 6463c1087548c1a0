import { createHash } from 'node:crypto';
import { MAX_EVENT_TYPES } from '../../src/catalog/catalog.service.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { anEventType, registerType, type Organisation } from '../support/event-types.js';

const PATH = '/event/catalog/register';
const problemsIn = ({ body }: ApiAnswer): unknown =>
  body.error?.details && (body.error.details as { fields?: unknown }).fields;

describe('POST /ipm/event/catalog/register', () => {
  let api: TestApi;
  let owner: Organisation;
  const register = (type: object, who = owner): Promise<ApiAnswer> => registerType(api, who, type);
  const rowsOf = (orgcode: string): Promise<object[]> =>
    api.database.asOwner('select service, action, schema_version from event_type where orgcode = $1', [orgcode]);

  beforeAll(async () => {
    api = await TestApi.start();
  });
  beforeEach(async () => {
    owner = await api.anOwner();
  });
  afterAll(() => api.close());

  it('answers the entry as the catalog lists it', async () => {
    const type = anEventType({ description: 'A thing.', validation: 'enforce', redaction: { note: 'drop' } });
    const { status, body } = await register(type);
    expect(status).toBe(200);
    const entry = {
      service: 'own',
      action: type.action,
      schema_url: `https://ipm.example/ipm/schema/own/${type.action}/1.0`,
      schema_version: '1.0',
      redaction: { note: 'drop' },
      description: 'A thing.',
      validation: 'enforce',
      origin: 'organisation',
    };
    expect(body.data).toEqual({ entry });
    const listed = await api.call('/event/catalog/list', { service: 'own' }, owner);
    expect(listed.body.data.items).toEqual([entry]);
  });

  it('never changes a registered version: 409, and the next version is new', async () => {
    const type = anEventType({ description: 'first' });
    expect((await register(type)).status).toBe(200);
    for (const again of [type, { ...type, description: 'second' }]) {
      const { status, body } = await register(again);
      expect([status, body.error?.error_code]).toEqual([409, 'event_type_version_exists']);
    }
    expect((await register({ ...type, schema_version: '1.1', description: 'second' })).status).toBe(200);
    const first = await api.send(`/schema/own/${type.action}/1.0`, { ...owner, method: 'GET' });
    expect(first.status).toBe(200);
    expect(await rowsOf(owner.orgcode)).toHaveLength(2);
  });

  it('refuses a version that the built-in catalog has', async () => {
    const type = anEventType({ service: 'scm', action: 'purchase_order.released', validation: 'enforce' });
    const { status, body } = await register(type);
    expect([status, body.error?.error_code]).toEqual([409, 'event_type_version_exists']);
  });

  it('keeps the service ipm for IPM itself, whatever else is wrong', async () => {
    for (const change of [{}, { action: 'webhook.created', schema_version: '2.0' }, { schema: { $id: 'x' } }]) {
      const { status, body } = await register(anEventType({ service: 'ipm', ...change }));
      expect([status, body.error?.error_code]).toEqual([409, 'event_type_reserved']);
    }
  });

  const badTypes: [string, object, { path: string; tag: string }][] = [
    [
      'a recursive schema',
      { schema: { $defs: { a: { items: { $ref: '#/$defs/a' } } }, $ref: '#/$defs/a' } },
      { path: 'schema', tag: 'recursive' },
    ],
    [
      'a schema that reaches outside',
      { schema: { $ref: 'https://example.com/s.json' } },
      { path: 'schema', tag: 'only_refs_to_own_defs' },
    ],
    ['a schema with an id', { schema: { $id: 'urn:x' } }, { path: 'schema', tag: 'not_self_contained' }],
    ['a schema that grows exponentially', { schema: doubling(30) }, { path: 'schema', tag: 'too_complex' }],
    [
      'unique items without a bound',
      { schema: { type: 'array', uniqueItems: true } },
      { path: 'schema', tag: 'unique_items_without_max_items' },
    ],
    ['a schema of more than 64 KiB', { schema: { enum: ['x'.repeat(66_000)] } }, { path: 'schema', tag: 'too_large' }],
    ['an unknown keyword', { schema: { typ: 'object' } }, { path: 'schema', tag: 'unknown_keyword' }],
    ['a bad pattern', { schema: { pattern: '(' } }, { path: 'schema', tag: 'pattern_not_supported' }],
    ['a pattern that looks back', { schema: { pattern: '(?<=a)b' } }, { path: 'schema', tag: 'pattern_not_supported' }],
    ['a bad service', { service: 'Own' }, { path: 'service', tag: 'not_a_service_name' }],
    ['a bad action', { action: 'Thing' }, { path: 'action', tag: 'not_an_action_name' }],
    ['a bad version', { schema_version: '1.0.0' }, { path: 'schema_version', tag: 'not_a_version' }],
    ['a bad redaction path', { redaction: { 'lines[0]': 'mask' } }, { path: 'redaction.lines[0]', tag: 'not_a_path' }],
    ['a bad redaction mode', { redaction: { note: 'blur' } }, { path: 'redaction.note', tag: 'not_one_of' }],
    ['a bad facts rule', { facts: { numerics: ['a b'] } }, { path: 'facts.numerics.0', tag: 'not_a_path' }],
    [
      'a specimen that breaks the schema',
      { schema: { type: 'object', required: ['id'] }, specimen: { payload: {} } },
      { path: 'specimen.payload.id', tag: 'schema_required' },
    ],
    [
      'a specimen that breaks the facts rule',
      {
        facts: { references: 'required', numerics: ['units'] },
        specimen: { payload: { units: 5, referenced_claim_ids: ['c'] } },
      },
      { path: 'specimen.payload.units', tag: 'number_without_source' },
    ],
  ];
  it.each(badTypes)('refuses %s with 400, names the place and stores nothing', async (_what, change, problem) => {
    const answer = await register(anEventType(change));
    expect([answer.status, answer.body.error?.error_code]).toEqual([400, 'event_type_invalid']);
    expect(problemsIn(answer)).toEqual([problem]);
    expect(await rowsOf(owner.orgcode)).toEqual([]);
  });

  it('is quick with a pattern that drives backtracking engines mad', async () => {
    const schema = { type: 'object', properties: { x: { type: 'string', pattern: '^(a+)+$' } } };
    const startedMs = performance.now();
    const answer = await register(anEventType({ schema, specimen: { payload: { x: `${'a'.repeat(10_000)}!` } } }));
    expect(problemsIn(answer)).toEqual([{ path: 'specimen.payload.x', tag: 'schema_pattern' }]);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('takes fields with names that JavaScript objects have', async () => {
    const properties = { constructor: { type: 'string' }, toString: { type: 'string' }, then: { type: 'string' } };
    const type = anEventType({ schema: { type: 'object', properties } });
    expect((await register(type)).status).toBe(200);
    const { body } = await api.send(`/schema/own/${type.action}/1.0`, { ...owner, method: 'GET' });
    expect(body.data.schema).toEqual({ type: 'object', properties });
  });

  it('lets exactly one of many registrations of one version win', async () => {
    const type = anEventType();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => register({ ...type, description: `by writer ${n}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(409)]);
    const winner = answers.find(({ status }) => status === 200)!;
    const { body } = await api.call('/event/catalog/list', { service: 'own' }, owner);
    expect(body.data.items).toEqual([winner.body.data.entry]);
  });

  it('holds an organisation to its number of versions, and no other one', async () => {
    await api.database.asOwner(
      `insert into event_type (orgcode, service, action, schema_version, version_order, validation, schema, created_by)
       select $1, 'many', 'thing', '0.' || n, array[0, n], 'warn', '{}', 'spec' from generate_series(1, $2::int) n`,
      [owner.orgcode, MAX_EVENT_TYPES - 1],
    );
    const last = await Promise.all([register(anEventType()), register(anEventType()), register(anEventType())]);
    expect(last.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const refused = last.find(({ status }) => status === 409)!;
    expect(refused.body.error).toMatchObject({ error_code: 'too_many_event_types', details: { max: MAX_EVENT_TYPES } });
    expect(await rowsOf(owner.orgcode)).toHaveLength(MAX_EVENT_TYPES);
    expect((await register(anEventType(), await api.anOwner())).status).toBe(200);
  });

  it('is seen by the own organisation alone', async () => {
    const type = anEventType({ specimen: { payload: { canary: 'of the first' } } });
    expect((await register(type)).status).toBe(200);
    const other = await api.anOwner();
    const name = `own.${type.action}`;
    const answers = await Promise.all([
      api.call('/event/catalog/list', { service: 'own' }, other),
      api.call('/export/contract/list', { service: 'own' }, other),
      api.call('/specimen/get', {}, other),
      api.call('/specimen/get', { name }, other),
      api.send(`/schema/own/${type.action}/1.0`, { ...other, method: 'GET' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 404]);
    expect(JSON.stringify(answers.map(({ body }) => body.data))).not.toContain(type.action);
    expect((await register(type, other)).status).toBe(200);
  });

  it('leaves an audit event with the type, its reason and grounds, and one for a refusal', async () => {
    const type = anEventType({ redaction: { note: 'mask' } });
    await register(type);
    await register(type);
    const { schema, specimen, ...facts } = type;
    const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
    const hashes = { schema_hash: hashOf(schema), ...(specimen ? { specimen_hash: hashOf(specimen) } : {}) };
    const { body } = await api.call('/audit/list', { event_type: 'event/catalog/register' }, owner);
    expect(body.data.items).toEqual([
      expect.objectContaining({ outcome: 'refused', error_tag: 'event_type_version_exists' }),
      expect.objectContaining({
        outcome: 'done',
        resource_type: 'event_type',
        resource_id: `own.${type.action}@1.0`,
        after: { ...facts, ...hashes },
        reason: 'a spec asks for it',
        source_refs: [{ kind: 'spec', id: '1' }],
      }),
    ]);
  });

  it('answers a repeated request with the first answer', async () => {
    const request = { ...writeGrounds(owner.orgcode), event_type: anEventType(), idempotency_key: 'once' };
    const first = await api.call(PATH, request, owner);
    const again = await api.call(PATH, request, owner);
    expect([first.status, again.status, again.headers['idempotent-replayed']]).toEqual([200, 200, 'true']);
    expect(again.body).toEqual(first.body);
    expect(await rowsOf(owner.orgcode)).toHaveLength(1);
  });

  it.each(['integration_view', 'integration_service', 'auditor'] as const)('is not for %s', async (role) => {
    const key = await api.aKey(owner.orgcode, role);
    const { status, body } = await register(anEventType(), { ...owner, key });
    expect([status, body.error?.error_code]).toEqual([403, 'role_required']);
  });
});

function doubling(depth: number): object {
  const $defs = Object.fromEntries(
    Array.from({ length: depth }, (_, n) => [
      `d${n}`,
      { anyOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
    ]),
  );
  return { $defs: { ...$defs, [`d${depth}`]: { type: 'string' } }, $ref: '#/$defs/d0' };
}
