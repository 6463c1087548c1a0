import fc from 'fast-check';
import { MAX_GROUP_EVENTS, mergeGroup, shareOut, takeGroup, type WaitingCall } from './append-lane.js';
import type { Appended, LogEntry } from './event-log.repository.js';

const MAX_GROUP_CHARACTERS = 4 * 1024 * 1024;
const MEBIBYTE = 'x'.repeat(1024 * 1024);

function anEntry(fields: Partial<LogEntry> = {}): LogEntry {
  return {
    eventId: 'e',
    occurredAt: '2026-11-21T12:00:00.000000Z',
    service: 'pos',
    action: 'basket.closed',
    logicalGuid: null,
    channelCode: null,
    envelope: '',
    ...fields,
  };
}

function aCall(entries: readonly LogEntry[], catalogVersion: bigint | null = 1n): WaitingCall {
  return { entries, catalogVersion, resolve: () => undefined, reject: () => undefined };
}

const charactersOf = (calls: readonly WaitingCall[]): number =>
  calls.flatMap(({ entries }) => entries).reduce((sum, { envelope }) => sum + envelope.length, 0);
const eventsOf = (calls: readonly WaitingCall[]): number => calls.reduce((sum, { entries }) => sum + entries.length, 0);

const fits = (calls: readonly WaitingCall[]): boolean =>
  eventsOf(calls) <= MAX_GROUP_EVENTS &&
  charactersOf(calls) <= MAX_GROUP_CHARACTERS &&
  new Set(calls.map(({ catalogVersion }) => catalogVersion)).size === 1;

const queues = fc.array(
  fc
    .record({
      count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(400, MAX_GROUP_EVENTS - 1, MAX_GROUP_EVENTS)),
      mebibytes: fc.constantFrom(0, 0, 0, 1, 2, 4, 5),
      catalogVersion: fc.constantFrom(1n, 1n, 1n, 2n, null),
    })
    .map(({ count, mebibytes, catalogVersion }) => {
      const large = anEntry({ envelope: MEBIBYTE.repeat(mebibytes) });
      return aCall([large, ...Array<LogEntry>(count - 1).fill(anEntry())], catalogVersion);
    }),
  { maxLength: 12 },
);

describe('the groups of a lane', () => {
  it('take every call once and in order, as many as fit, and a call that is too large alone', () => {
    fc.assert(
      fc.property(queues, (calls) => {
        const queue = [...calls];
        const taken: WaitingCall[] = [];
        while (queue.length > 0) {
          const group = takeGroup(queue);
          taken.push(...group);
          expect(group.length === 1 || fits(group)).toBe(true);
          const [next] = queue;
          if (next) expect(group.length >= 1 && !fits([...group, next])).toBe(true);
        }
        expect(taken.map((call) => calls.indexOf(call))).toEqual(calls.map((_, i) => i));
      }),
      { numRuns: 300 },
    );
  });

  it('are none of an empty lane', () => {
    expect(takeGroup([])).toEqual([]);
  });
});

/** Few ids and times, so that the same event comes again and again; the envelope says which entry it is. */
const groups = fc
  .array(
    fc.array(
      fc.record({
        eventId: fc.constantFrom('a', 'b', 'a b', 'c'),
        occurredAt: fc.constantFrom('2026-11-21T12:00:00.000000Z', '2026-11-21T12:00:00.000001Z'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((calls) =>
    calls.map((entries, c) => aCall(entries.map((key, e) => anEntry({ ...key, envelope: `${c}.${e}` })))),
  );

const isSame = (a: LogEntry, b: LogEntry): boolean => a.eventId === b.eventId && a.occurredAt === b.occurredAt;

describe('a merged group', () => {
  it('has each event once, as it came first, and in order', () => {
    fc.assert(
      fc.property(groups, (calls) => {
        const all = calls.flatMap(({ entries }) => entries);
        const firsts = all.filter((entry, i) => all.findIndex((other) => isSame(entry, other)) === i);
        expect(mergeGroup(calls).entries).toEqual(firsts);
      }),
    );
  });

  it('is shared out so that each call hears of its events in its order, and that the later of two are duplicates', () => {
    fc.assert(
      fc.property(groups, fc.infiniteStream(fc.tuple(fc.boolean(), fc.boolean())), (calls, answers) => {
        const merged = mergeGroup(calls);
        const appended = merged.entries.map((_, i): Appended => {
          const [duplicate, pushed] = answers.next().value as [boolean, boolean];
          return { position: BigInt(1_000 - i), duplicate, pushed };
        });
        const shares = shareOut(merged, appended);
        expect(shares.map((share) => share.length)).toEqual(calls.map(({ entries }) => entries.length));
        const seen: LogEntry[] = [];
        calls.forEach(({ entries }, c) =>
          entries.forEach((entry, e) => {
            const ofLog = appended[merged.entries.findIndex((other) => isSame(entry, other))]!;
            const isLater = seen.some((other) => isSame(entry, other));
            expect(shares[c]?.[e]).toEqual({ ...ofLog, duplicate: ofLog.duplicate || isLater });
            seen.push(entry);
          }),
        );
      }),
    );
  });

  it('is not shared out where the log answered fewer events', () => {
    const merged = mergeGroup([aCall([anEntry(), anEntry({ eventId: 'f' })])]);
    expect(() => shareOut(merged, [{ position: 1n, duplicate: false, pushed: true }])).toThrow('fewer events');
  });
});
