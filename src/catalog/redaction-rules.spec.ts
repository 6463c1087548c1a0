import fc from 'fast-check';
import {
  loosenedPaths,
  mergedRedaction,
  REDACTION_MODES,
  redactionProblems,
  type RedactionRules,
} from './redaction-rules.js';

const strength = (mode: (typeof REDACTION_MODES)[number] | undefined): number =>
  mode === undefined ? -1 : REDACTION_MODES.indexOf(mode);

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'constructor', 'toString', 'hasOwnProperty', 'lines[]'),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,8}(\[\])?$/),
);
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('.'));
const rules: fc.Arbitrary<RedactionRules> = fc.dictionary(place, fc.constantFrom(...REDACTION_MODES), { maxKeys: 8 });

const own = (of: RedactionRules, path: string): (typeof REDACTION_MODES)[number] | undefined =>
  Object.hasOwn(of, path) ? of[path] : undefined;

describe('redaction rules', () => {
  it('merge so that no path is weaker than on either side, and no path is added', () => {
    fc.assert(
      fc.property(rules, rules, (base, added) => {
        const merged = mergedRedaction(base, added);
        for (const path of Object.keys({ ...base, ...added })) {
          expect(strength(own(merged, path))).toBe(Math.max(strength(own(base, path)), strength(own(added, path))));
        }
        expect(Object.keys(merged).sort()).toEqual(Object.keys({ ...base, ...added }).sort());
      }),
    );
  });

  it('merge in any order and any number of times to the same', () => {
    fc.assert(
      fc.property(rules, rules, (base, added) => {
        const merged = mergedRedaction(base, added);
        expect(mergedRedaction(added, base)).toEqual(merged);
        expect(mergedRedaction(merged, added)).toEqual(merged);
      }),
    );
  });

  it('are loosened exactly where a path of both is weaker in the second', () => {
    fc.assert(
      fc.property(rules, rules, (base, added) => {
        const weaker = Object.keys(added).filter((path) => strength(own(added, path)) < strength(own(base, path)));
        expect(loosenedPaths(base, added)).toEqual(weaker);
      }),
    );
  });

  it('order their modes: hash, mask, drop', () => {
    expect(loosenedPaths({ a: 'drop', b: 'mask', c: 'drop' }, { a: 'mask', b: 'hash', c: 'hash' })).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(loosenedPaths({ a: 'hash', b: 'mask' }, { a: 'mask', b: 'drop' })).toEqual([]);
  });

  it.each(['buyer', 'buyer.email', 'lines[].note', 'lines[].contacts[].phone', '_x-y'])('take the path %s', (path) => {
    expect(redactionProblems({ [path]: 'mask' })).toEqual([]);
  });

  it.each(['', '.', 'a.', '.a', 'a..b', '[].a', 'a[0]', 'a[', '1a', 'a b', '$.a', `${'a'.repeat(201)}`])(
    'refuse the path "%s"',
    (path) => {
      expect(redactionProblems({ [path]: 'mask' })).toEqual([expect.objectContaining({ tag: 'not_a_path' })]);
    },
  );

  it.each(['show', '', 'MASK', 1, null])('refuse the mode %p', (mode) => {
    expect(redactionProblems({ note: mode })).toEqual([{ path: 'redaction.note', tag: 'not_one_of' }]);
  });

  it('are at most 100', () => {
    const many = (count: number): RedactionRules =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`field_${n}`, 'mask' as const]));
    expect(redactionProblems(many(100))).toEqual([]);
    expect(redactionProblems(many(101))).toEqual([{ path: 'redaction', tag: 'too_many' }]);
  });
});
