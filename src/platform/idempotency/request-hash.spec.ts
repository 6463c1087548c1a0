import fc from 'fast-check';
import { canonicalJson, requestHash } from './request-hash.js';

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>;

function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reordered(inner)]),
  );
}

describe('the hash of a request', () => {
  it('does not depend on the order of properties, at any depth', () => {
    fc.assert(fc.property(json, (body) => expect(canonicalJson(reordered(body))).toBe(canonicalJson(body))));
  });

  it('is that of valid JSON which says the same', () => {
    fc.assert(
      fc.property(json, (body) => expect(JSON.parse(canonicalJson(body))).toEqual(JSON.parse(JSON.stringify(body)))),
    );
  });

  it('is another for another request', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (one, other) => {
        const same = canonicalJson(one) === canonicalJson(other);
        expect(requestHash(one).equals(requestHash(other))).toBe(same);
      }),
    );
    const bodies = [
      {},
      { a: 1 },
      { a: '1' },
      { a: [1] },
      { a: [1, 2] },
      { a: [2, 1] },
      { a: null },
      { a: { b: 1 } },
      { 'a.b': 1 },
      { a: [[1], 2] },
    ];
    expect(new Set(bodies.map((body) => requestHash(body).toString('hex'))).size).toBe(bodies.length);
  });

  it('treats what is undefined as absent', () => {
    expect(requestHash({ a: 1, b: undefined }).equals(requestHash({ a: 1 }))).toBe(true);
  });
});
