import fc from 'fast-check';
import { chartSvg, niceTicks } from './chart-svg.js';

describe('the ticks of a chart', () => {
  it.each([
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [5, 15, [4, 6, 8, 10, 12, 14, 16]],
    [-3, 3, [-4, -2, 0, 2, 4]],
    [0, 0, [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6]],
    [7, 7, [2, 4, 6, 8, 10, 12]],
  ])('from %d to %d are round', (smallest, largest, ticks) => {
    expect(niceTicks(smallest, largest)).toEqual(ticks);
  });

  it('are few, rise, and enclose whatever values there are', () => {
    const value = fc.double({ noNaN: true, min: -1e300, max: 1e300 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [smallest, largest] = a < b ? [a, b] : [b, a];
        const ticks = niceTicks(smallest, largest);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(13);
        const slack = (ticks.at(-1)! - ticks[0]!) * 1e-6;
        expect(ticks[0]).toBeLessThanOrEqual(smallest + slack);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(largest - slack);
        for (const [i, tick] of ticks.slice(1).entries()) expect(tick).toBeGreaterThan(ticks[i]!);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a chart', () => {
  it('is drawn with numbers only, whatever the figures are', () => {
    const point = fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }) });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 5 }), (points) => {
        const svg = chartSvg({
          title: 't',
          unit: undefined,
          timeZone: 'UTC',
          fromMs: 0,
          toMs: 1_000,
          lines: [{ label: 'l', points: points.map(({ value }, i) => ({ startMs: i, endMs: i + 1, value })) }],
          thresholds: [],
          note: undefined,
        });
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      }),
    );
  });
});
