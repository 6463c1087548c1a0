import fc from 'fast-check';
import { compilePayloadFilter, payloadFilterProblems } from './payload-filter.js';

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

const scalar = fc.oneof(
  fc.constantFrom('a', 'ab', 'b', ''),
  fc.integer({ min: -2, max: 3 }),
  fc.boolean(),
  fc.constant(null),
);
const name = fc.constantFrom('a', 'b', '0', 'length', 'constructor', '__proto__', 'toString');
const payload = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(name, tie('value')), { maxLength: 4 })
      .map((entries) => JSON.parse(`{${entries.map(([k, v]) => `"${k}":${JSON.stringify(v)}`).join(',')}}`) as Json),
  ),
})).value;

const field = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'));
const comparable = fc.oneof(fc.constantFrom('a', 'ab', 'b'), fc.integer({ min: -2, max: 3 }));
const condition = fc.oneof(
  fc.record({ field, eq: scalar }),
  fc.record({ field, ne: scalar }),
  fc.record({ field, gt: comparable }),
  fc.record({ field, gte: comparable }),
  fc.record({ field, lt: comparable }),
  fc.record({ field, lte: comparable }),
  fc.record({ field, in: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  fc.record({ field, exists: fc.boolean() }),
  fc.record({ field, starts_with: fc.constantFrom('a', 'ab', '') }),
);
type Filter = Record<string, unknown>;
const filter = fc.letrec<{ node: Filter }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    condition as fc.Arbitrary<Filter>,
    fc.record({ and: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('node') }),
  ),
})).node;

/** Every place of the payload by its name, said slowly: what a field may name, and nothing else. */
function places(value: Json, at: string[] = []): Map<string, Json> {
  const found = new Map<string, Json>(at.length > 0 ? [[at.join('.'), value]] : []);
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, inner] of Object.entries(value)) for (const one of places(inner, [...at, key])) found.set(...one);
  return found;
}

function passes(node: Filter, there: Map<string, Json>): boolean {
  if ('and' in node) return (node.and as Filter[]).filter((inner) => !passes(inner, there)).length === 0;
  if ('or' in node) return (node.or as Filter[]).filter((inner) => passes(inner, there)).length > 0;
  if ('not' in node) return !passes(node.not as Filter, there);
  const isThere = there.has(node.field as string);
  if ('exists' in node) return isThere === node.exists;
  if (!isThere) return false;
  const json = JSON.stringify(there.get(node.field as string));
  if ('eq' in node) return json === JSON.stringify(node.eq);
  if ('ne' in node) return json !== JSON.stringify(node.ne);
  if ('in' in node) return (node.in as Json[]).map((one) => JSON.stringify(one)).includes(json);
  const value = there.get(node.field as string);
  if ('starts_with' in node) return typeof value === 'string' && value.indexOf(node.starts_with as string) === 0;
  const [[operation, operand]] = Object.entries(node).filter(([key]) => key !== 'field') as [[string, string | number]];
  if (typeof value !== typeof operand) return false;
  const order = [value as string | number, operand].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const sign = value === operand ? 0 : order[0] === value ? -1 : 1;
  return { gt: sign > 0, gte: sign >= 0, lt: sign < 0, lte: sign <= 0 }[operation]!;
}

describe('a payload filter', () => {
  it('passes what a slow reading of it passes, and never throws', () => {
    fc.assert(
      fc.property(filter, payload, (node, value) => {
        fc.pre(payloadFilterProblems(node, 'f').length === 0);
        expect(compilePayloadFilter(node)(value)).toBe(passes(node, places(value)));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    [{ and: [{ field: 'amount.value', gte: 100 }, { not: { field: 'status', eq: 'draft' } }] }, true],
    [{ field: 'amount.value', gt: '100' }, false],
    [{ field: 'amount', eq: null }, false],
    [{ field: 'lines.1.sku', starts_with: 'B-' }, true],
    [{ field: 'lines.length', exists: true }, false],
    [{ field: 'amount.constructor', exists: true }, false],
    [{ field: '__proto__.constructor', exists: true }, false],
    [{ field: 'status.length', gt: 0 }, false],
    [{ field: 'note', eq: null }, true],
    [{ field: 'note', ne: null }, false],
    [{ field: 'gone', ne: 1 }, false],
    [{ not: { field: 'gone', eq: 1 } }, true],
    [{ field: 'at', gte: '2026-11-01T00:00:00Z' }, true],
  ])('%j: %s', (node, expected) => {
    const value = {
      amount: { value: 120, currency: 'EUR' },
      status: 'open',
      lines: [{ sku: 'A-1' }, { sku: 'B-2' }],
      note: null,
      at: '2026-11-21T08:00:00Z',
    };
    expect(payloadFilterProblems(node, 'f')).toEqual([]);
    expect(compilePayloadFilter(node)(value)).toBe(expected);
  });

  it('that is anything but a filter is refused with a path, and never thrown over', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 5 }), (anything) => {
        for (const { path, tag } of payloadFilterProblems(anything, 'f'))
          expect([path.startsWith('f'), tag]).toEqual([true, expect.stringMatching(/^[a-z_]+$/)]);
      }),
    );
  });

  const nested = (depth: number): object => (depth === 1 ? { field: 'a', eq: 1 } : { not: nested(depth - 1) });
  const wide = (conditions: number): object => ({
    or: Array.from({ length: conditions }, () => ({ field: 'a', eq: 1 })),
  });
  it.each([
    [nested(8), undefined],
    [nested(9), ['f.not.not.not.not.not.not.not.not', 'too_deep']],
    [wide(63), undefined],
    [wide(64), ['f.or.63', 'too_many_conditions']],
    [{ field: 'a', in: Array(100).fill(1) }, undefined],
    [{ field: 'a', in: Array(101).fill(1) }, ['f.in', 'too_many']],
    [{ field: 'a', in: [] }, ['f.in', 'empty']],
    [{ field: 'a', in: [{}] }, ['f.in', 'not_a_scalar']],
    [{ field: 'a', in: 'abc' }, ['f.in', 'not_a_list']],
    [{ field: 'a', eq: 'x'.repeat(256) }, undefined],
    [{ field: 'a', eq: 'x'.repeat(257) }, ['f.eq', 'too_long']],
    [{ field: 'a'.repeat(257), eq: 1 }, ['f.field', 'too_long']],
    [{ field: 'a..b', eq: 1 }, ['f.field', 'not_a_field']],
    [{ field: '', eq: 1 }, ['f.field', 'not_a_field']],
    [{ eq: 1 }, ['f.field', 'not_text']],
    [{ field: 'a' }, ['f', 'one_operation']],
    [{ field: 'a', gt: 1, lt: 3 }, ['f', 'one_operation']],
    [{ field: 'a', matches: '.*' }, ['f.matches', 'unknown_operation']],
    [{ field: 'a', constructor: 1 }, ['f.constructor', 'unknown_operation']],
    [{ field: 'a', gt: true }, ['f.gt', 'not_comparable']],
    [{ field: 'a', exists: 1 }, ['f.exists', 'not_a_boolean']],
    [{ field: 'a', starts_with: 1 }, ['f.starts_with', 'not_text']],
    [{ field: 'a', eq: [1] }, ['f.eq', 'not_a_scalar']],
    [{ and: [] }, ['f.and', 'empty']],
    [{ and: {} }, ['f.and', 'not_a_list']],
    [{ and: [{ field: 'a', eq: 1 }], or: [] }, ['f', 'one_of_and_or_not']],
    [{ not: [] }, ['f.not', 'not_a_condition']],
    [[], ['f', 'not_a_condition']],
    [null, ['f', 'not_a_condition']],
  ])('is bounded and says where it is wrong: %#', (node, problem) => {
    expect(payloadFilterProblems(node, 'f')).toEqual(problem ? [{ path: problem[0], tag: problem[1] }] : []);
  });
});
