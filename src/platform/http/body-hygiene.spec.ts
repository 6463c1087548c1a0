import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { assertStorable, MAX_BODY_DEPTH } from './body-hygiene.js';

/** Said once more, slowly: what a body may hold. */
function isStorable(value: unknown, depth = 1): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
  if (typeof value === 'number')
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (typeof value !== 'object' || value === null) return true;
  if (depth > MAX_BODY_DEPTH) return false;
  return Object.entries(value).every(([name, inner]) => isStorable(name) && isStorable(inner, depth + 1));
}

function refusal(body: unknown): AppError | undefined {
  try {
    assertStorable(body);
    return undefined;
  } catch (error) {
    return error as AppError;
  }
}

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\ud800', '\udc00x', '😀', ''));
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(2 ** 53, -(2 ** 53), 2 ** 53 - 1, Infinity, 1e21, 0.5, -0),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, text, number, fc.boolean(), fc.constant(null), tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(text, tie('value'), { maxKeys: 4 }),
})).value;

describe('what may be stored', () => {
  it('is refused exactly when it could not be kept as it is, always as an expected failure', () => {
    fc.assert(
      fc.property(json, (body) => {
        const refused = refusal(body);
        expect(refused === undefined).toBe(isStorable(body));
        if (refused) expect(refused).toBeInstanceOf(AppError);
      }),
      { numRuns: 500 },
    );
  });

  it('names where it is, in text that may be shown', () => {
    expect(refusal({ a: [{ 'b\0': 1 }] })?.context.fields).toEqual([{ path: 'a.0', tag: 'not_storable' }]);
    expect(refusal({ a: { b: ['x', '\ud800'] } })?.context.fields).toEqual([{ path: 'a.b.1', tag: 'not_storable' }]);
    const [field] = refusal({ ['n'.repeat(5_000)]: Infinity })?.context.fields ?? [];
    expect(field?.path).toHaveLength(200);
  });

  it('is walked without a stack: depth cannot hurt', () => {
    let deep: unknown = {};
    for (let i = 0; i < 200_000; i += 1) deep = [deep];
    expect(refusal(deep)?.failure.tag).toBe('body_too_deep');
  });
});
