import { createHmac } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { MASK, Redaction, type ValueHash } from './redaction.js';
import { REDACTION_MODES, type RedactionRules } from './redaction-rules.js';

type Json = Record<string, unknown>;

const keyed =
  (key: string): ValueHash =>
  (text) =>
    createHmac('sha256', key).update(text).digest();
const hash = keyed('of one organisation');

const NAMES = ['a', 'b', 'lines', 'constructor', 'toString'];
const name = fc.constantFrom(...NAMES);
const rules: fc.Arbitrary<RedactionRules> = fc.dictionary(
  fc
    .array(fc.tuple(name, fc.constantFrom('', '', '[]')), { minLength: 1, maxLength: 3 })
    .map((steps) => steps.map(([step, each]) => step + each).join('.')),
  fc.constantFrom(...REDACTION_MODES),
  { maxKeys: 3 },
);
const payloads = fc.letrec<{ value: unknown; list: unknown[]; object: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>('text', 7, 0, true, false, null, ''),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.dictionary(name, tie('value'), { maxKeys: 4 }),
}));

interface Leaf {
  /** The names on the way, without the places in lists. */
  names: string[];
  canary: string;
}

/** The payload with a text of its own in each place that holds something, and where these are. */
function planted(payload: unknown): { payload: unknown; leaves: Leaf[] } {
  const leaves: Leaf[] = [];
  const plant = (value: unknown, names: string[]): unknown => {
    if (value === null) return null;
    if (Array.isArray(value)) return value.map((item) => plant(item, names));
    if (typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([step, inner]) => [step, plant(inner, [...names, step])]));
    const canary = `canary ${leaves.length}.`;
    leaves.push({ names, canary });
    return canary;
  };
  return { payload: plant(payload, []), leaves };
}

/** Said once more, slowly: a rule is about everything below its names, in however many lists it stands. */
function isCovered({ names }: Leaf, of: RedactionRules): boolean {
  return Object.keys(of).some((path) => path.split('.').every((step, i) => step.replace('[]', '') === names[i]));
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

describe('a redacted payload', () => {
  it('has no trace of any value that a rule names, at any depth and in any list, and all the others', () => {
    fc.assert(
      fc.property(payloads.object, rules, (shape, of) => {
        const { payload, leaves } = planted(shape);
        const text = JSON.stringify(new Redaction(of).apply(payload, hash));
        for (const leaf of leaves)
          expect({ ...leaf, isSeen: text.includes(leaf.canary) }).toEqual({ ...leaf, isSeen: !isCovered(leaf, of) });
      }),
      { numRuns: 1_000 },
    );
  });

  it('stays the same when it is redacted again, also with another key', () => {
    fc.assert(
      fc.property(payloads.object, rules, (payload, of) => {
        const redaction = new Redaction(of);
        const once = redaction.apply(payload, hash);
        expect(redaction.apply(once, hash)).toEqual(once);
        expect(redaction.apply(once, keyed('of another one'))).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  it('is another one: what was given is not touched', () => {
    fc.assert(
      fc.property(payloads.value, rules, (payload, of) => {
        const before = structuredClone(payload);
        new Redaction(of).apply(frozen(payload), hash);
        expect(payload).toEqual(before);
      }),
    );
  });

  it('is what was given where there is no object, and where no rule applies', () => {
    const redaction = new Redaction({ a: 'drop', 'b[].c': 'mask' });
    for (const payload of [undefined, null, 'a', 7, [], {}, { b: [] }, { c: { a: 1 } }])
      expect(redaction.apply(payload, hash)).toEqual(payload);
  });

  it('masks with one mark, drops without a mark, and leaves nothing as nothing', () => {
    const payload = { a: 1, b: { c: ['x', null], d: null }, lines: [{ note: 'n', sku: 's' }, { note: null }] };
    const masked = new Redaction({ a: 'mask', 'b.c[]': 'mask', 'b.d': 'mask', 'lines[].note': 'mask' });
    expect(masked.apply(payload, hash)).toEqual({
      a: MASK,
      b: { c: [MASK, null], d: null },
      lines: [{ note: MASK, sku: 's' }, { note: null }],
    });
    const dropped = new Redaction({ a: 'drop', 'b.c[]': 'drop', 'b.d': 'drop', 'lines[].note': 'drop' });
    expect(dropped.apply(payload, hash)).toEqual({ b: { c: [] }, lines: [{ sku: 's' }, {}] });
    expect(new Redaction({ 'b.d': 'hash' }).apply(payload, hash)).toEqual(payload);
  });

  it('masks a list or an object that a rule names as a whole', () => {
    expect(new Redaction({ a: 'mask', b: 'mask' }).apply({ a: [1, 2], b: { c: 1 } }, hash)).toEqual({
      a: MASK,
      b: MASK,
    });
  });

  it.each([
    ['buyer.email', { buyer: [{ email: 'x' }, { email: 'y' }] }, { buyer: [{ email: MASK }, { email: MASK }] }],
    ['lines[].note', { lines: { note: 'x' } }, { lines: { note: MASK } }],
    ['lines[].note', { lines: [[{ note: 'x' }]] }, { lines: [[{ note: MASK }]] }],
    ['phones[]', { phones: 'x' }, { phones: MASK }],
  ])('hides %s also where lists stand otherwise than the rule has it: %j', (path, payload, seen) => {
    expect(new Redaction({ [path]: 'mask' }).apply(payload, hash)).toEqual(seen);
  });
});

describe('a hashed value', () => {
  const hashed = (value: unknown, of = hash): unknown =>
    (new Redaction({ value: 'hash' }).apply({ value }, of) as Json).value;
  const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => value !== null);

  /** The same value with the fields of all objects in the opposite order. */
  function reversed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([step, inner]) => [step, reversed(inner)]),
    );
  }

  it('is a text of one form, and the same whatever the order of fields', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(hashed(value)).toMatch(/^ipm-hash:[A-Za-z0-9_-]{43}$/);
        expect(hashed(reversed(value))).toBe(hashed(value));
      }),
    );
  });

  it('is the same for equal values and for no others', () => {
    const close = fc.constantFrom<unknown>(0, '0', '', [], {}, [0], { a: 0 }, { a: '0' }, false, 'false', ['a', 0]);
    const values = fc.oneof(json, close).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(hashed(a) === hashed(b)).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it('is another one for another organisation', () => {
    fc.assert(fc.property(json, (value) => expect(hashed(value)).not.toBe(hashed(value, keyed('of another one')))));
  });

  it('stays what it is when a rule masks it later, and so does a mask that a rule would hash', () => {
    const first = hashed('x');
    expect(new Redaction({ value: 'mask' }).apply({ value: first }, hash)).toEqual({ value: first });
    expect(hashed(MASK)).toBe(MASK);
  });
});

describe('what redaction explains', () => {
  const redaction = new Redaction({
    'buyer.email': 'mask',
    'buyer.number': 'hash',
    note: 'drop',
    ['toString' as string]: 'drop',
    'lines[].phone': 'mask',
    'tags[]': 'hash',
  });
  const numbered = new Redaction({ x: 'hash' }).apply({ x: 1 }, hash) as { x: string };

  it.each([
    ['a mask', 'payload.buyer.email', { buyer: { email: MASK } }],
    ['a hash', 'payload.buyer.number', { buyer: { number: numbered.x } }],
    ['a dropped field', 'payload.note', {}],
    ['a dropped field with a name that JavaScript objects have', 'payload.toString', {}],
    ['a mask in a list', 'payload.lines.1.phone', { lines: [{ phone: 1 }, { phone: MASK }] }],
    ['a hash as an item', 'payload.tags.0', { tags: [numbered.x] }],
    ['a mask in a list that the rule does not know', 'payload.buyer.0.email', { buyer: [{ email: MASK }] }],
  ])('is a problem with %s', (_what, path, payload) => {
    expect(redaction.explains(path, payload)).toBe(true);
  });

  it.each([
    ['an open value', 'payload.buyer.email', { buyer: { email: 'nobody' } }],
    ['a masked value that is missing', 'payload.buyer.email', { buyer: {} }],
    ['a dropped field that is there', 'payload.note', { note: 7 }],
    ['a mask where no rule put it', 'payload.buyer.name', { buyer: { name: MASK } }],
    ['what stands around a mask', 'payload.buyer', { buyer: { email: MASK } }],
    ['what would stand in a mask', 'payload.buyer.email.x', { buyer: { email: MASK } }],
    ['another item of a list', 'payload.lines.0.phone', { lines: [{ phone: 1 }, { phone: MASK }] }],
    ['a text that only looks like a hash', 'payload.buyer.number', { buyer: { number: 'ipm-hash:short' } }],
    ['the payload itself', 'payload', undefined],
  ])('is not a problem with %s', (_what, path, payload) => {
    expect(redaction.explains(path, payload)).toBe(false);
  });

  it('is nothing in a payload that holds nothing redacted, but for fields that a rule drops', () => {
    fc.assert(
      fc.property(payloads.object, rules, fc.array(fc.oneof(name, fc.constantFrom('0', '1'))), (payload, of, steps) => {
        const kept = Object.fromEntries(Object.entries(of).filter(([, mode]) => mode !== 'drop'));
        expect(new Redaction(kept).explains(['payload', ...steps].join('.'), payload)).toBe(false);
      }),
    );
  });
});
