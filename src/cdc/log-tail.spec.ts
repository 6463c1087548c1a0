import fc from 'fast-check';
import { passes, type FeedFilters } from './feed-filters.js';
import { LogTail, type TailEvent } from './log-tail.js';

const MAX_EVENTS = 2_000;
const MAX_CHARACTERS = 8 * 1024 * 1024;
const MEBIBYTE = 'x'.repeat(1024 * 1024);
const START = 100n;

/** One growth: the events of a look at the log, and how far beyond the last of them the look went. */
interface Growth {
  events: { step: bigint; service: string; logicalGuid: string | null; occurredMicros: bigint; text: string }[];
  beyond: bigint;
}

const eventsLike = fc.record({
  step: fc.bigInt({ min: 1n, max: 3n }),
  service: fc.constantFrom('pos', 'scm'),
  logicalGuid: fc.constantFrom('g1', null),
  occurredMicros: fc.bigInt({ min: 0n, max: 9n }),
  text: fc.constantFrom('{}', '{"a":1}'),
});
const growths = (texts: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<Growth> =>
  fc.record({
    events: fc.array(
      fc.tuple(eventsLike, texts).map(([event, text]) => ({ ...event, text })),
      { maxLength },
    ),
    beyond: fc.bigInt({ min: 0n, max: 5n }),
  });
const small = growths(fc.constantFrom('{}', '{"a":1}'), 5);
const heavy = growths(fc.constantFrom('{}', MEBIBYTE, MEBIBYTE.repeat(3), MEBIBYTE.repeat(9)), 6);
const long = fc
  .tuple(eventsLike, fc.constantFrom(700, 1_999, 2_000, 2_500))
  .map(([event, count]): Growth => ({ events: Array<typeof event>(count).fill(event), beyond: 0n }));

const filters: fc.Arbitrary<FeedFilters> = fc.record(
  {
    service: fc.constantFrom('pos', 'scm', 'none'),
    logicalGuid: fc.constant('g1'),
    fromMicros: fc.bigInt({ min: 0n, max: 9n }),
    toMicros: fc.bigInt({ min: 0n, max: 9n }),
  },
  { requiredKeys: [] },
);

/** A tail that has grown so, and beside it everything that ever came. */
function grown(steps: readonly Growth[]): { tail: LogTail; all: TailEvent[]; to: bigint } {
  const tail = new LogTail(START, START);
  const all: TailEvent[] = [];
  let to = START;
  for (const { events, beyond } of steps) {
    let position = to;
    const added = events.map(({ step, ...event }): TailEvent => {
      position += step;
      return { ...event, position, channelCode: null, tokens: new Map<string, string>() };
    });
    to = position + beyond;
    tail.grow(added, to);
    all.push(...added);
  }
  return { tail, all, to };
}

const charactersOf = (events: readonly TailEvent[]): number => events.reduce((sum, { text }) => sum + text.length, 0);
const positionsOf = (events: readonly TailEvent[]): bigint[] => events.map(({ position }) => position);

describe('the tail of a log', () => {
  it('gives what a look at the whole log would give, wherever it reaches back far enough, and else nothing', () => {
    const steps = fc.array(fc.oneof({ arbitrary: small, weight: 5 }, heavy), { maxLength: 8 });
    const position = fc.bigInt({ min: 90n, max: 220n });
    fc.assert(
      fc.property(steps, position, filters, fc.integer({ min: 1, max: 8 }), (given, after, wanted, limit) => {
        const { tail, all, to } = grown(given);
        expect(tail.to).toBe(to);
        const found = tail.after(after, wanted, limit);
        expect(found === undefined).toBe(after < tail.from);
        if (!found) return;
        const passing = all.filter((event) => event.position > after && passes(event, wanted)).slice(0, limit);
        expect(positionsOf(found.events)).toEqual(positionsOf(passing));
        const last = passing.length === limit ? passing.at(-1) : undefined;
        expect(found.cursor).toBe(last?.position ?? (after > to ? after : to));
      }),
      { numRuns: 500 },
    );
  });

  it('is read to its end without a gap, however little is taken at a time, and never beyond', () => {
    fc.assert(
      fc.property(
        fc.array(small, { maxLength: 8 }),
        filters,
        fc.integer({ min: 1, max: 4 }),
        (given, wanted, limit) => {
          const { tail, all } = grown(given);
          const read: TailEvent[] = [];
          for (let cursor = tail.from; cursor < tail.to;) {
            const found = tail.after(cursor, wanted, limit)!;
            expect(found.cursor).toBeGreaterThan(cursor);
            expect(found.cursor).toBeLessThanOrEqual(tail.to);
            read.push(...found.events);
            cursor = found.cursor;
          }
          expect(positionsOf(read)).toEqual(positionsOf(all.filter((event) => passes(event, wanted))));
        },
      ),
    );
  });

  it('keeps as much as it may and no more, and the newest event however large it is', () => {
    const steps = fc.array(fc.oneof(small, heavy, long), { maxLength: 6 });
    fc.assert(
      fc.property(steps, (given) => {
        const { tail, all } = grown(given);
        const kept = all.filter(({ position }) => position > tail.from);
        const more = all.slice(all.length - kept.length - 1);
        const isWithin = (events: readonly TailEvent[]): boolean =>
          events.length <= MAX_EVENTS && charactersOf(events) <= MAX_CHARACTERS;
        expect(isWithin(kept) || kept.length === 1).toBe(true);
        expect(kept.at(-1)).toBe(all.at(-1));
        if (more.length > kept.length) expect(isWithin(more)).toBe(false);
        expect(positionsOf(tail.after(tail.from, {}, MAX_EVENTS + 1)!.events)).toEqual(positionsOf(kept));
      }),
      { numRuns: 60 },
    );
  });

  it('begins where it was made, until it grows', () => {
    const tail = new LogTail(START, START);
    expect(tail.after(START, {}, 1)).toEqual({ events: [], cursor: START });
    expect(tail.after(START - 1n, {}, 1)).toBeUndefined();
    tail.grow([], START + 5n);
    expect(tail.after(START, {}, 1)).toEqual({ events: [], cursor: START + 5n });
  });
});
