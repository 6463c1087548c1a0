import fc from 'fast-check';
import { AGE_BOUNDS_MS, AGE_CLASSES, ageClass, ageQuantile } from './age-classes.js';

const LAST_BOUND = AGE_BOUNDS_MS[AGE_BOUNDS_MS.length - 1]!;

function countsOf(ages: readonly number[]): number[] {
  const counts = new Array<number>(AGE_CLASSES).fill(0);
  for (const age of ages) counts[ageClass(age)]! += 1;
  return counts;
}

describe('ages of events at their delivery', () => {
  it('rise from class to class', () => {
    expect([...AGE_BOUNDS_MS].sort((a, b) => a - b)).toEqual(AGE_BOUNDS_MS);
    expect(AGE_CLASSES).toBe(AGE_BOUNDS_MS.length + 1);
  });

  it.each([
    [-3, 0],
    [0, 0],
    [5, 0],
    [6, 1],
    [1_000, 7],
    [LAST_BOUND, AGE_CLASSES - 2],
    [LAST_BOUND + 1, AGE_CLASSES - 1],
  ])('%i ms are of class %i', (age, place) => expect(ageClass(age)).toBe(place));

  it('have a quantile that is the bound of the class of the age at that place, or the last bound above all of them', () => {
    const age = fc.integer({ min: 0, max: 2 * LAST_BOUND });
    fc.assert(
      fc.property(
        fc.array(age, { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.95, 0.99, 1),
        (ages, share) => {
          const sorted = [...ages].sort((a, b) => a - b);
          const exact = sorted[Math.ceil(share * ages.length) - 1]!;
          expect(ageQuantile(countsOf(ages), share)).toBe(AGE_BOUNDS_MS[ageClass(exact)] ?? LAST_BOUND);
        },
      ),
    );
  });

  it('have none where there were none', () => expect(ageQuantile(countsOf([]), 0.95)).toBeUndefined());
});
