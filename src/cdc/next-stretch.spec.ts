import fc from 'fast-check';
import type { EventZone } from './event-zone.repository.js';
import type { FeedFilters } from './feed-filters.js';
import { nextStretch } from './next-stretch.js';

interface Range {
  from: bigint;
  to: bigint;
}

const DAYS = 12;
const size = fc.integer({ min: 1, max: 9 });

/** One after the other from a first position on, as the log has them. */
const partitions = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.array(size, { maxLength: 8 }))
  .map(([first, sizes]) => rangesOf(first, sizes));

const times = fc
  .tuple(fc.integer({ min: 0, max: DAYS }), fc.integer({ min: 0, max: DAYS }))
  .map(([a, b]) => [BigInt(Math.min(a, b)), BigInt(Math.max(a, b))] as const);

/** In order, but with gaps: positions that no zone speaks of, at the beginning, in between and at the end. */
const zones: fc.Arbitrary<EventZone[]> = fc
  .tuple(
    fc.integer({ min: 1, max: 25 }),
    fc.array(fc.record({ size, gap: fc.constantFrom(0, 0, 0, 3), times: fc.option(times, { freq: 5 }) })),
  )
  .map(([first, given]) => {
    const ranges = rangesOf(
      first,
      given.flatMap(({ size: length, gap }) => [length, gap]),
    );
    return given.map((zone, i) => ({
      ...ranges[2 * i]!,
      firstMicros: zone.times?.[0] ?? null,
      lastMicros: zone.times?.[1] ?? null,
    }));
  });

const filters: fc.Arbitrary<FeedFilters> = fc.record(
  {
    service: fc.constant('pos'),
    fromMicros: fc.bigInt({ min: -1n, max: BigInt(DAYS + 1) }),
    toMicros: fc.bigInt({ min: -1n, max: BigInt(DAYS + 1) }),
  },
  { requiredKeys: [] },
);

function rangesOf(first: number, sizes: readonly number[]): Range[] {
  let from = BigInt(first);
  return sizes.map((length) => {
    const range = { from, to: from + BigInt(length) };
    from = range.to;
    return range;
  });
}

function positionsIn({ from, to }: Range): bigint[] {
  return Array.from({ length: Math.max(0, Number(to - from)) }, (_, i) => from + BigInt(i));
}

/** Said once more, slowly: an event at this position may pass as far as anybody knows. */
function mayPass(position: bigint, of: readonly EventZone[], { fromMicros, toMicros }: FeedFilters): boolean {
  const zone = of.find(({ from, to }) => from <= position && position < to);
  if (!zone || (fromMicros === undefined && toMicros === undefined)) return true;
  if (zone.firstMicros === null || zone.lastMicros === null) return false;
  return (fromMicros ?? zone.lastMicros) <= zone.lastMicros && zone.firstMicros < (toMicros ?? zone.firstMicros + 1n);
}

/** A reader that goes from stretch to stretch; each position that it looks at. */
function walk(
  layout: { partitions: Range[]; zones: EventZone[] },
  after: bigint,
  wanted: FeedFilters,
  most: number,
): { visited: bigint[]; stretches: Range[] } {
  const visited: bigint[] = [];
  const stretches: Range[] = [];
  for (let cursor = after; ;) {
    const stretch = nextStretch(layout.partitions, layout.zones, cursor, wanted, most);
    if (!stretch) return { visited, stretches };
    const looked = { from: stretch.after + 1n, to: stretch.before };
    expect(looked.from).toBeGreaterThan(cursor);
    expect(looked.to).toBeGreaterThan(looked.from);
    stretches.push(looked);
    visited.push(...positionsIn(looked));
    cursor = looked.to - 1n;
  }
}

describe('the stretches of a reader', () => {
  const layouts = fc.record({ partitions, zones });
  const cursor = fc.bigInt({ min: 0n, max: 90n });
  const most = fc.integer({ min: 1, max: 4 });

  it('come to every position that may hold a wanted event, in order, once, and to no other of the log', () => {
    fc.assert(
      fc.property(layouts, cursor, filters, most, (layout, after, wanted, partitionsAtMost) => {
        const inLog = layout.partitions.flatMap(positionsIn);
        const isInLog = new Set(inLog);
        const { visited } = walk(layout, after, wanted, partitionsAtMost);
        expect(visited.filter((position) => isInLog.has(position))).toEqual(
          inLog.filter((position) => position > after && mayPass(position, layout.zones, wanted)),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('cover no more partitions than asked', () => {
    fc.assert(
      fc.property(layouts, cursor, filters, most, (layout, after, wanted, partitionsAtMost) => {
        for (const { from, to } of walk(layout, after, wanted, partitionsAtMost).stretches) {
          const covered = layout.partitions.filter((partition) => partition.from < to && from < partition.to);
          expect(covered.length).toBeLessThanOrEqual(partitionsAtMost);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are as few as the partitions allow where no time is asked for', () => {
    fc.assert(
      fc.property(layouts, cursor, most, (layout, after, partitionsAtMost) => {
        const left = layout.partitions.filter(({ to }) => to > after + 1n).length;
        const { stretches } = walk(layout, after, { service: 'pos' }, partitionsAtMost);
        expect(stretches).toHaveLength(Math.ceil(left / partitionsAtMost));
      }),
    );
  });

  it('end at once in an empty log and past its end', () => {
    expect(nextStretch([], [], 0n, {}, 1)).toBeUndefined();
    expect(nextStretch([{ from: 1n, to: 11n }], [], 10n, {}, 1)).toBeUndefined();
    expect(nextStretch([{ from: 1n, to: 11n }], [], 9n, {}, 1)).toEqual({ after: 9n, before: 11n });
  });

  it('pass over millions of positions in one step where the zones say so', () => {
    const zone = (n: bigint): EventZone => ({
      from: n * 1_000n + 1n,
      to: n * 1_000n + 1_001n,
      firstMicros: n,
      lastMicros: n,
    });
    const many = Array.from({ length: 10_000 }, (_, n) => zone(BigInt(n)));
    const stretch = nextStretch([{ from: 1n, to: 20_000_001n }], many, 0n, { fromMicros: 9_000n, toMicros: 9_002n }, 1);
    expect(stretch).toEqual({ after: 9_000_000n, before: 9_002_001n });
  });
});
