import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { EventTypeCheck } from './event-type-check.js';
import { VALIDATION_LEVELS, type EventTypeDefinition } from './event-type.js';
import { MASK } from './redaction.js';
import { REDACTION_MODES, type RedactionMode } from './redaction-rules.js';

const hash = (text: string): Buffer => createHmac('sha256', 'k').update(text).digest();

const needs = (field: string): object => ({
  type: 'object',
  required: [field],
  properties: { [field]: { type: 'string' } },
});

function aType(change: Partial<EventTypeDefinition> = {}): EventTypeDefinition {
  return {
    service: 'own',
    action: 'thing.made',
    schemaVersion: '1.1',
    validation: 'enforce',
    schema: needs('id'),
    redaction: {},
    ...change,
  };
}

const FINE = { flags: [], problems: [] };
const missing = (field: string): object => ({
  flags: ['breaks_schema'],
  problems: [{ path: `payload.${field}`, tag: 'schema_required' }],
});

describe('the check of an event type', () => {
  it('finds nothing in anything where it is off, and redacts all the same', () => {
    const type = aType({
      validation: 'off',
      redaction: { id: 'mask' },
      facts: { references: 'required', numerics: [] },
    });
    const check = new EventTypeCheck(type, [aType({ schemaVersion: '1.0' })]);
    for (const version of [undefined, '1.0', '1.1', '7.7', 'none']) {
      for (const payload of [undefined, null, 7, {}, { id: 1 }]) expect(check.judge(payload, version)).toEqual(FINE);
    }
    expect(check.redaction.apply({ id: 'x' }, hash)).toEqual({ id: MASK });
  });

  it.each(['warn', 'enforce'] as const)('names what breaks the schema where it says %s', (validation) => {
    const check = new EventTypeCheck(aType({ validation }));
    expect(check.level).toBe(validation);
    expect(check.judge({ id: 'x' }, undefined)).toEqual(FINE);
    expect(check.judge({ id: 'x' }, '1.1')).toEqual(FINE);
    expect(check.judge({}, undefined)).toEqual(missing('id'));
    expect(check.judge({ id: 7 }, '1.1')).toEqual({
      flags: ['breaks_schema'],
      problems: [{ path: 'payload.id', tag: 'schema_type' }],
    });
    expect(check.judge(undefined, undefined)).toEqual({
      flags: ['breaks_schema'],
      problems: [{ path: 'payload', tag: 'schema_type' }],
    });
  });

  it('answers for any payload and any version and never throws', () => {
    const facts = { references: 'required', numerics: ['id', 'a.b'] } as const;
    const checks = VALIDATION_LEVELS.map(
      (validation) => new EventTypeCheck(aType({ validation, facts, redaction: { 'a.b[].c': 'drop', id: 'hash' } })),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.option(fc.string(), { nil: undefined }), (payload, version) => {
        for (const check of checks) {
          const { flags, problems } = check.judge(payload, version);
          expect(flags.length > 0).toBe(problems.length > 0);
        }
      }),
    );
  });
});

describe('the version that an event names', () => {
  const older = aType({ schemaVersion: '1.0', schema: needs('old') });

  it('decides by which schema it is checked; without one it is the newest', () => {
    const check = new EventTypeCheck(aType(), [older]);
    expect(check.judge({ old: 'x' }, '1.0')).toEqual(FINE);
    expect(check.judge({ id: 'x' }, '1.0')).toEqual(missing('old'));
    expect(check.judge({ old: 'x' }, '1.1')).toEqual(missing('id'));
    expect(check.judge({ old: 'x' }, undefined)).toEqual(missing('id'));
  });

  it('is flagged where there is none such, and the newest schema is asked', () => {
    const check = new EventTypeCheck(aType());
    const unknown = { path: 'schema_version', tag: 'unknown' };
    expect(check.judge({ id: 'x' }, '2.0')).toEqual({ flags: ['schema_version_unknown'], problems: [unknown] });
    expect(check.judge({}, '2.0')).toEqual({
      flags: ['schema_version_unknown', 'breaks_schema'],
      problems: [unknown, { path: 'payload.id', tag: 'schema_required' }],
    });
  });

  it('can be learned, and so can that there is none', () => {
    const check = new EventTypeCheck(aType());
    expect([check.knows('1.1'), check.knows('1.0'), check.knows('0.9')]).toEqual([true, false, false]);
    check.learn('1.0', older);
    check.learn('0.9', undefined);
    expect([check.knows('1.0'), check.knows('0.9')]).toEqual([true, true]);
    expect(check.judge({ old: 'x' }, '1.0')).toEqual(FINE);
    expect(check.judge({ id: 'x' }, '0.9').flags).toEqual(['schema_version_unknown']);
  });

  it('is still known after any number of versions that nobody registered', () => {
    const check = new EventTypeCheck(aType(), [older]);
    for (let n = 0; n < 1_000; n += 1) check.learn(`9.${n}`, undefined);
    expect([check.knows('1.1'), check.knows('1.0')]).toEqual([true, true]);
    expect(check.judge({ id: 'x' }, '1.1')).toEqual(FINE);
    expect(check.judge({ old: 'x' }, '1.0')).toEqual(FINE);
  });

  it('changes nothing about level, facts and redaction, which are those of the newest', () => {
    const check = new EventTypeCheck(
      aType({ redaction: { note: 'drop' }, facts: { references: 'required', numerics: [] } }),
      [{ ...older, validation: 'off', redaction: { other: 'drop' } }],
    );
    expect(check.level).toBe('enforce');
    expect(check.judge({ old: 'x' }, '1.0').flags).toEqual(['breaks_facts']);
    expect(check.redaction.apply({ note: 1, other: 2 }, hash)).toEqual({ other: 2 });
  });
});

describe('facts', () => {
  const check = new EventTypeCheck(aType({ facts: { references: 'required', numerics: ['units'] } }));

  it('are demanded beside the schema', () => {
    expect(check.judge({ id: 'x', units: 4, units_calc_id: 'c', referenced_calc_ids: ['c'] }, '1.1')).toEqual(FINE);
    expect(check.judge({ id: 'x', units: 4, referenced_calc_ids: ['c'] }, '1.1')).toEqual({
      flags: ['breaks_facts'],
      problems: [{ path: 'payload.units', tag: 'number_without_source' }],
    });
    expect(check.judge({ referenced_calc_ids: [] }, '2.0')).toEqual({
      flags: ['schema_version_unknown', 'breaks_schema', 'breaks_facts'],
      problems: [
        { path: 'schema_version', tag: 'unknown' },
        { path: 'payload.id', tag: 'schema_required' },
        { path: 'payload.referenced_claim_ids', tag: 'reference_required' },
      ],
    });
  });
});

describe('a payload that is redacted already', () => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    required: ['email', 'number', 'address', 'lines'],
    properties: {
      email: { type: 'string', format: 'email' },
      number: { type: 'integer', minimum: 1 },
      level: { enum: ['gold', 'silver'] },
      address: { type: 'object', required: ['city'], properties: { city: { type: 'string', pattern: '^[A-Z]' } } },
      lines: {
        type: 'array',
        items: {
          type: 'object',
          required: ['phone', 'units'],
          properties: { phone: { type: 'string', pattern: '^\\+\\d+$' }, units: { type: 'number' } },
        },
      },
    },
  };
  const PATHS = ['email', 'number', 'level', 'address', 'address.city', 'lines[].phone'];
  const rules = fc
    .tuple(...PATHS.map(() => fc.option(fc.constantFrom(...REDACTION_MODES), { nil: undefined })))
    .map((modes) => Object.fromEntries(PATHS.map((path, i) => [path, modes[i]]).filter(([, mode]) => mode)))
    .map((of) => of as Record<string, RedactionMode>);
  const payloads = fc.record({
    email: fc.constant('ada@example.com'),
    number: fc.integer({ min: 1 }),
    level: fc.constantFrom('gold', 'silver'),
    address: fc.record({ city: fc.constantFrom('Ulm', 'Bonn') }),
    lines: fc.array(fc.record({ phone: fc.constant('+49123'), units: fc.integer() }), { minLength: 1, maxLength: 3 }),
  });
  const checkWith = (redaction: Record<string, RedactionMode>): EventTypeCheck =>
    new EventTypeCheck(aType({ schema, redaction }));

  it('passes wherever it passed before, whatever was redacted', () => {
    fc.assert(
      fc.property(payloads, rules, (payload, redaction) => {
        const check = checkWith(redaction);
        const redacted = check.redaction.apply(payload, hash);
        expect([check.judge(payload, '1.1'), check.judge(redacted, '1.1')]).toEqual([FINE, FINE]);
      }),
      { numRuns: 60 }, // each compiles a schema
    );
  });

  it('hides no other fault', () => {
    const faults = fc.constantFrom<(payload: { lines: object[] }) => object>(
      (payload) => ({ ...payload, lines: [...payload.lines, { phone: '+1', units: 'many' }] }),
      (payload) => ({ ...payload, lines: [{ phone: '+1' }, ...payload.lines] }),
      (payload) => ({ ...payload, extra: true }),
    );
    fc.assert(
      fc.property(payloads, rules, faults, (payload, redaction, fault) => {
        const check = checkWith(redaction);
        const redacted = check.redaction.apply(fault(payload), hash);
        expect(check.judge(redacted, '1.1').flags).toEqual(['breaks_schema']);
      }),
      { numRuns: 60 },
    );
  });

  it('is named by the fault alone', () => {
    const check = checkWith({ email: 'mask', number: 'drop' });
    const payload = { email: MASK, address: { city: 'Ulm' }, lines: [{ phone: '+1', units: 'many' }] };
    expect(check.judge(payload, undefined).problems).toEqual([{ path: 'payload.lines.0.units', tag: 'schema_type' }]);
  });

  it('is accepted only where a rule redacts', () => {
    expect(checkWith({ number: 'hash' }).judge({ email: MASK }, undefined).flags).toEqual(['breaks_schema']);
  });
});
