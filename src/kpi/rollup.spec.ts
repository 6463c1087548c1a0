import fc from 'fast-check';
import { AGGREGATES, rolledUp, type FigurePart } from './rollup.js';

const parts: FigurePart[] = [
  { value: 1, sampleCount: 1 },
  { value: 4, sampleCount: 3 },
  { value: -2, sampleCount: null },
];

describe('figures of smaller buckets', () => {
  it.each([
    ['sum', 3],
    ['avg', 1],
    ['min', -2],
    ['max', 4],
    ['last', -2],
    ['weighted', 3.25],
  ] as const)('become one by %s', (aggregate, value) => {
    expect(rolledUp(aggregate, parts)).toEqual({ value, sampleCount: 4 });
  });

  it('say nothing where there are none, none has a weight, or no number holds the result', () => {
    expect(rolledUp('sum', [])).toBeUndefined();
    expect(rolledUp('weighted', [{ value: 1, sampleCount: null }])).toBeUndefined();
    expect(rolledUp('weighted', [{ value: 1, sampleCount: 0 }])).toBeUndefined();
    expect(
      rolledUp(
        'sum',
        [2 ** 53 - 1, 1].map((value) => ({ value, sampleCount: null })),
      ),
    ).toBeUndefined();
    expect(rolledUp('last', [{ value: 1, sampleCount: null }])).toEqual({ value: 1, sampleCount: undefined });
  });

  it('of one are that one, and of several lie between them, but for the sum', () => {
    const part = fc.record({
      value: fc.integer({ min: -1_000_000, max: 1_000_000 }),
      sampleCount: fc.integer({ min: 1, max: 1_000 }),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), fc.constantFrom(...AGGREGATES), (several, aggregate) => {
        const { value } = rolledUp(aggregate, several)!;
        const values = several.map((one) => one.value);
        if (several.length === 1) expect(value).toBe(values[0]);
        if (aggregate === 'sum') return;
        expect(value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-6);
        expect(value).toBeLessThanOrEqual(Math.max(...values) + 1e-6);
      }),
    );
  });
});
