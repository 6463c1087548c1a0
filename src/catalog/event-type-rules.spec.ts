import { eventTypeProblems, looseningProblems, tightened } from './event-type-rules.js';
import type { EventTypeDefinition } from './event-type.js';
import { compilePayloadSchema } from './payload-schema.js';

const builtin: EventTypeDefinition = {
  service: 'scm',
  action: 'order.created',
  schemaVersion: '1.1',
  validation: 'warn',
  schema: { type: 'object', required: ['order_id'], properties: { order_id: { type: 'string' } } },
  redaction: { 'buyer.email': 'mask', note: 'drop' },
  facts: { references: 'required', numerics: ['units'] },
  specimen: { service: 'scm', action: 'order.created', payload: { order_id: '1', referenced_claim_ids: ['c'] } },
};
const added: EventTypeDefinition = {
  ...builtin,
  schemaVersion: '1.2',
  redaction: {},
  facts: undefined,
  specimen: undefined,
};

describe('eventTypeProblems', () => {
  it('finds none in a good type', () => {
    expect(eventTypeProblems(builtin)).toEqual([]);
    expect(eventTypeProblems(added)).toEqual([]);
  });

  const bad: [string, Partial<EventTypeDefinition>, { path: string; tag: string }][] = [
    ['a service', { service: 'SCM' }, { path: 'service', tag: 'not_a_service_name' }],
    ['an action', { action: 'order created' }, { path: 'action', tag: 'not_an_action_name' }],
    ['a version', { schemaVersion: '1' }, { path: 'schema_version', tag: 'not_a_version' }],
    ['a redaction path', { redaction: { 'a b': 'mask' } }, { path: 'redaction.a b', tag: 'not_a_path' }],
    [
      'a facts rule',
      { facts: { references: 'required', numerics: ['a b'] } },
      { path: 'facts.numerics.0', tag: 'not_a_path' },
    ],
    ['a schema', { schema: { $id: 'x' } }, { path: 'schema', tag: 'not_self_contained' }],
    ['a specimen without its payload', { specimen: {} }, { path: 'specimen.payload', tag: 'schema_type' }],
    [
      'a specimen that breaks the schema',
      { specimen: { payload: { referenced_claim_ids: ['c'] } } },
      { path: 'specimen.payload.order_id', tag: 'schema_required' },
    ],
    [
      'a specimen that breaks the facts rule',
      { specimen: { payload: { order_id: '1', units: 1, referenced_claim_ids: ['c'] } } },
      { path: 'specimen.payload.units', tag: 'number_without_source' },
    ],
    [
      'a specimen of another action',
      { specimen: { ...builtin.specimen, action: 'other' } },
      { path: 'specimen', tag: 'of_another_type' },
    ],
    [
      'a specimen of another service',
      { specimen: { ...builtin.specimen, service: 'pcm' } },
      { path: 'specimen', tag: 'of_another_type' },
    ],
    [
      'a specimen that is too large',
      { specimen: { ...builtin.specimen, reason: 'x'.repeat(17_000) } },
      { path: 'specimen', tag: 'too_large' },
    ],
  ];
  it.each(bad)('names %s that is wrong', (_what, change, problem) => {
    expect(eventTypeProblems({ ...builtin, ...change })).toContainEqual(problem);
  });
});

describe('looseningProblems', () => {
  it('finds none where everything is as strict or stricter', () => {
    expect(looseningProblems(builtin, added)).toEqual([]);
    expect(
      looseningProblems(builtin, {
        ...added,
        validation: 'enforce',
        redaction: { 'buyer.email': 'drop', phone: 'hash' },
      }),
    ).toEqual([]);
  });

  it('names each place that is weaker', () => {
    const weaker = {
      ...added,
      schemaVersion: '1.0',
      validation: 'off' as const,
      redaction: { note: 'mask', 'buyer.email': 'hash' } as const,
    };
    expect(looseningProblems(builtin, weaker)).toEqual([
      { path: 'schema_version', tag: 'older_than_builtin' },
      { path: 'validation', tag: 'weaker' },
      { path: 'redaction.note', tag: 'weaker' },
      { path: 'redaction.buyer.email', tag: 'weaker' },
    ]);
  });
});

describe('a tightened type', () => {
  it('keeps what the registered one leaves out', () => {
    const { redaction, facts, specimen } = tightened(builtin, added);
    expect({ redaction, facts, specimen }).toEqual({
      redaction: builtin.redaction,
      facts: builtin.facts,
      specimen: builtin.specimen,
    });
  });

  it('demands both schemas, both redactions at the stronger mode and both facts rules', () => {
    const stricter = tightened(builtin, {
      ...added,
      validation: 'enforce',
      schema: { required: ['buyer'] },
      redaction: { 'buyer.email': 'drop', phone: 'mask' },
      facts: { references: 'optional', numerics: ['price'] },
    });
    const check = compilePayloadSchema(stricter.schema);
    expect(check({ order_id: '1', buyer: {} })).toEqual([]);
    expect(check({ order_id: '1' })).toEqual([{ path: 'payload.buyer', tag: 'schema_required' }]);
    expect(check({ buyer: {} })).toEqual([{ path: 'payload.order_id', tag: 'schema_required' }]);
    expect(stricter).toMatchObject({
      schemaVersion: '1.2',
      validation: 'enforce',
      redaction: { 'buyer.email': 'drop', note: 'drop', phone: 'mask' },
      facts: { references: 'required', numerics: ['units', 'price'] },
    });
  });

  it('can be checked also where both schemas have definitions', () => {
    const $defs = { id: { type: 'string', minLength: 3 } };
    const { schema } = tightened(builtin, {
      ...added,
      schema: { $defs, properties: { order_id: { $ref: '#/$defs/id' } } },
    });
    expect(compilePayloadSchema(schema)({ order_id: '12' })).toEqual([
      { path: 'payload.order_id', tag: 'schema_minLength' },
    ]);
  });
});
