import fc from 'fast-check';
import { BadSchema, compilePayloadSchema } from './payload-schema.js';

function problemsOf(schema: object): { path: string; tag: string }[] {
  try {
    compilePayloadSchema(schema);
    return [];
  } catch (error) {
    if (error instanceof BadSchema) return [...error.problems];
    throw error;
  }
}

describe('compilePayloadSchema', () => {
  it('checks a payload, and names each field that is wrong', () => {
    const check = compilePayloadSchema({
      type: 'object',
      required: ['order_id'],
      properties: {
        order_id: { type: 'string' },
        lines: { type: 'array', items: { type: 'object', required: ['sku'] } },
      },
    });
    expect(check({ order_id: '1', lines: [{ sku: 'a' }] })).toEqual([]);
    expect(check({})).toEqual([{ path: 'payload.order_id', tag: 'schema_required' }]);
    expect(check({ order_id: 1 })).toEqual([{ path: 'payload.order_id', tag: 'schema_type' }]);
    expect(check({ order_id: '1', lines: [{}] })).toEqual([{ path: 'payload.lines.0.sku', tag: 'schema_required' }]);
  });

  const bad: [string, object, { path: string; tag: string }][] = [
    ['an unknown keyword', { type: 'object', propertys: {} }, { path: 'schema', tag: 'unknown_keyword' }],
    ['an unknown format', { type: 'string', format: 'iban' }, { path: 'schema', tag: 'unknown_format' }],
    [
      'an unknown type',
      { properties: { x: { type: 'text' } } },
      { path: 'schema.properties.x.type', tag: 'not_a_schema' },
    ],
    ['a keyword of the wrong kind', { minLength: 'one' }, { path: 'schema.minLength', tag: 'not_a_schema' }],
    ['a pattern that is none', { pattern: '(' }, { path: 'schema', tag: 'pattern_not_supported' }],
    ['a pattern that looks ahead', { pattern: '^(?=a)b' }, { path: 'schema', tag: 'pattern_not_supported' }],
    ['a pattern that refers back', { pattern: '^(a)\\1$' }, { path: 'schema', tag: 'pattern_not_supported' }],
    [
      'a bad pattern of properties',
      { patternProperties: { '(?<!a)b': {} } },
      { path: 'schema', tag: 'pattern_not_supported' },
    ],
    [
      'a pattern that repeats too often',
      { pattern: '((a{1000}){1000}){1000}' },
      { path: 'schema', tag: 'pattern_not_supported' },
    ],
    ['a reference to a missing definition', { $ref: '#/$defs/missing' }, { path: 'schema', tag: 'ref_to_nothing' }],
    ['a hazard', { $id: 'x' }, { path: 'schema', tag: 'not_self_contained' }],
  ];
  it.each(bad)('refuses %s', (_what, schema, problem) => {
    expect(problemsOf(schema)).toContainEqual(problem);
  });

  it('tells nothing of the library it uses', () => {
    for (const [, schema] of bad) {
      for (const { tag } of problemsOf(schema)) expect(tag).toMatch(/^[a-z_]+$/);
    }
  });

  it('holds each text to its own pattern, and each name to the pattern of its property', () => {
    const check = compilePayloadSchema({
      properties: { sku: { type: 'string', pattern: '^[A-Z]{3}-\\d+$' }, code: { type: 'string', pattern: 'b$' } },
      patternProperties: { '^n_': { type: 'number' }, '^t_': { type: 'string' } },
    });
    expect(check({ sku: 'ABC-12', code: 'ab', n_a: 1, t_a: 'x' })).toEqual([]);
    expect(check({ sku: 'abc-12', code: 'ab' })).toEqual([{ path: 'payload.sku', tag: 'schema_pattern' }]);
    expect(check({ sku: 'ABC-12', code: 'ba' })).toEqual([{ path: 'payload.code', tag: 'schema_pattern' }]);
    expect(check({ n_a: 'x' })).toEqual([{ path: 'payload.n_a', tag: 'schema_type' }]);
    expect(check({ t_a: 1 })).toEqual([{ path: 'payload.t_a', tag: 'schema_type' }]);
  });

  it('finds with a pattern what the patterns of JavaScript find', () => {
    const piece = fc.constantFrom('a', 'b', 'ab', '.', '[ab]', '(a|b)', '\\d', '\\w', '(?:ab)', '1');
    const repeated = fc.tuple(piece, fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}')).map((texts) => texts.join(''));
    const pattern = fc
      .tuple(fc.constantFrom('', '^'), fc.array(repeated, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '$'))
      .map(([start, middle, end]) => start + middle.join('') + end);
    const text = fc
      .array(fc.constantFrom('a', 'b', '1', 'é', '\n', ' '), { maxLength: 8 })
      .map((letters) => letters.join(''));
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 5 }), (source, texts) => {
        const check = compilePayloadSchema({ pattern: source });
        for (const one of texts) expect(check(one).length === 0).toBe(new RegExp(source, 'u').test(one));
      }),
      { numRuns: 60 }, // each compiles a schema
    );
  });

  const catastrophic = ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*a){20}$', '^(([a-z])+.)+[A-Z]([a-z])+$'];
  it.each(catastrophic)('runs the pattern %s in time that grows with the text alone', (pattern) => {
    const checks = [
      compilePayloadSchema({ properties: { x: { type: 'string', pattern } } }),
      compilePayloadSchema({ additionalProperties: false, patternProperties: { [pattern]: true } }),
    ];
    const text = `${'a'.repeat(20_000)}!`;
    const startedMs = performance.now();
    const expected = new RegExp(pattern).test('aaa!');
    expect([checks[0]!({ x: 'aaa!' }).length === 0, checks[1]!({ 'aaa!': 1 }).length === 0]).toEqual([
      expected,
      expected,
    ]);
    checks[0]!({ x: text });
    checks[1]!({ [text]: 1 });
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });

  const formats = ['date-time', 'date', 'time', 'duration', 'uri', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];
  it.each(formats)('checks the format %s of a long text quickly', (format) => {
    const check = compilePayloadSchema({ properties: { x: { type: 'string', format } } });
    const texts = ['a', '1', 'a.', '1:', ':', '-', 'a@', '%', 'P1'].map((piece) => `${piece.repeat(100_000)}!`);
    const startedMs = performance.now();
    for (const x of texts) check({ x });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  it('compiles the most complex schema that is allowed in bearable time', () => {
    const $defs = {
      part: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer', minimum: 0 } } },
    };
    const properties = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`p${n}`, { $ref: '#/$defs/part' }]));
    const before = process.cpuUsage(); // not the clock: other processes compile too
    expect(problemsOf({ $defs, type: 'object', properties })).toEqual([]);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1_500);
  });
});
