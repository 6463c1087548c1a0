import fc from 'fast-check';
import { schemaHazards } from './schema-hazards.js';

const tagsOf = (schema: object): string[] => schemaHazards(schema).map(({ tag }) => tag);

/** A chain of definitions, each naming the next one `width` times. */
function fanOut(depth: number, width: number, keyword = 'anyOf'): object {
  const definition = (level: number): object =>
    level === depth ? { type: 'string' } : { [keyword]: Array(width).fill({ $ref: `#/$defs/d${level + 1}` }) };
  const $defs = Object.fromEntries(Array.from({ length: depth + 1 }, (_, level) => [`d${level}`, definition(level)]));
  return { $defs, $ref: '#/$defs/d0' };
}

describe('schemaHazards', () => {
  const dangerous: [string, object, string][] = [
    [
      'a definition that names itself',
      { $defs: { a: { items: { $ref: '#/$defs/a' } } }, $ref: '#/$defs/a' },
      'recursive',
    ],
    [
      'two definitions that name each other',
      {
        $defs: { a: { not: { $ref: '#/$defs/b' } }, b: { not: { $ref: '#/$defs/a' } } },
        properties: { x: { $ref: '#/$defs/a' } },
      },
      'recursive',
    ],
    ['the root naming itself', { properties: { x: { $ref: '#' } } }, 'only_refs_to_own_defs'],
    ['a reference to another document', { $ref: 'https://example.com/schema.json' }, 'only_refs_to_own_defs'],
    ['a reference to a file', { items: { $ref: 'file:///etc/passwd' } }, 'only_refs_to_own_defs'],
    ['a reference into a property', { $ref: '#/properties/x' }, 'only_refs_to_own_defs'],
    ['a reference that is no text', { $ref: 5 }, 'only_refs_to_own_defs'],
    ['an id', { $id: 'https://example.com/me' }, 'not_self_contained'],
    ['an id deep inside', { properties: { x: { items: { $id: 'x' } } } }, 'not_self_contained'],
    ['an anchor', { $anchor: 'here' }, 'not_self_contained'],
    ['a dynamic reference', { $dynamicRef: '#node' }, 'not_self_contained'],
    ['unique items without a bound', { type: 'array', uniqueItems: true }, 'unique_items_without_max_items'],
    ['unique items with a far bound', { uniqueItems: true, maxItems: 1_001 }, 'unique_items_without_max_items'],
    ['anyOf that grows exponentially', fanOut(30, 2), 'too_complex'],
    ['allOf that grows exponentially', fanOut(12, 10, 'allOf'), 'too_complex'],
    ['more than 64 KiB', { enum: ['x'.repeat(65 * 1024)] }, 'too_large'],
  ];
  it.each(dangerous)('names %s', (_what, schema, tag) => {
    expect(tagsOf(schema)).toEqual([tag]);
  });

  const harmless: [string, object][] = [
    [
      'a definition that is used twice',
      { $defs: { a: { type: 'string' } }, properties: { x: { $ref: '#/$defs/a' }, y: { $ref: '#/$defs/a' } } },
    ],
    ['a chain of definitions', fanOut(7, 2)],
    ['unique items with a near bound', { uniqueItems: true, maxItems: 1_000 }],
    [
      'properties with the names of keywords',
      { properties: { $ref: { type: 'string' }, $id: { type: 'string' }, uniqueItems: { type: 'boolean' } } },
    ],
    [
      'values that look like schemas',
      { enum: [{ $ref: 'elsewhere' }], const: { $id: 'x' }, default: { uniqueItems: true } },
    ],
  ];
  it.each(harmless)('lets pass %s', (_what, schema) => {
    expect(tagsOf(schema)).toEqual([]);
  });

  it('is quick about what grows exponentially', () => {
    const startedMs = performance.now();
    expect(tagsOf(fanOut(60, 8))).toEqual(['too_complex']);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  it('answers for any JSON and never throws', () => {
    const keywords = fc.constantFrom(
      '$ref',
      '$defs',
      'properties',
      'items',
      'anyOf',
      'allOf',
      'not',
      'uniqueItems',
      '$id',
      'enum',
    );
    const { root } = fc.letrec<{ schema: unknown; root: object }>((tie) => ({
      root: fc.dictionary(keywords, tie('schema'), { maxKeys: 5 }),
      schema: fc.oneof(
        { maxDepth: 6, depthSize: 'small' },
        fc.jsonValue({ maxDepth: 3 }),
        fc.constantFrom('#/$defs/a', '#/$defs/b', '#'),
        fc.dictionary(fc.oneof(keywords, fc.constantFrom('a', 'b', '__proto__')), tie('schema'), { maxKeys: 4 }),
        fc.array(tie('schema'), { maxLength: 4 }),
      ),
    }));
    fc.assert(
      fc.property(root, (json) => {
        const hazards = schemaHazards(json);
        expect(hazards.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['dependencies', 'definitions', 'constructor', 'nullable', 'x-own'])(
    'refuses the keyword %s, whose meaning it does not know',
    (keyword) => {
      expect(tagsOf({ type: 'object', [keyword]: { enum: { $ref: '#/$defs/a' } } })).toEqual(['unknown_keyword']);
    },
  );

  it.each(['toString', 'constructor', 'missing'])('refuses a reference to %s where no such definition is', (name) => {
    expect(tagsOf({ $defs: {}, $ref: `#/$defs/${name}` })).toEqual(['ref_to_nothing']);
  });

  it('refuses patterns that together cost too much for each character', () => {
    const many = (pattern: string, count: number): object => ({ allOf: Array(count).fill({ pattern }) });
    expect(tagsOf(many('(.*a.{480}){2}$|b', 1))).toEqual(['patterns_too_costly']);
    expect(tagsOf(many('^[A-Z]{2,5}-[0-9]{1,12}$', 20))).toEqual(['patterns_too_costly']);
    expect(tagsOf({ patternProperties: { '(.*a.{480}){2}$|b': {} } })).toEqual(['patterns_too_costly']);
    expect(tagsOf(many('^[A-Z]{2,5}-[0-9]{1,12}$', 10))).toEqual([]);
  });
});
