import fc from 'fast-check';
import { feedFilters, filterKey, passes, type FeedFilterFields, type FilteredColumns } from './feed-filters.js';

const DAY_MICROS = 86_400_000_000n;
const START_MICROS = BigInt(Date.UTC(2026, 10, 21)) * 1000n;

/** Around one day, so that events lie before, at and after what is asked for. */
const micros = fc
  .oneof(fc.bigInt({ min: -2n, max: 2n }), fc.bigInt({ min: 0n, max: DAY_MICROS }))
  .map((apart) => START_MICROS + apart);
const text = fc.constantFrom('a', 'A', 'a b', '', '%', 'a%');

function written(instant: bigint, offsetHours = 0): string {
  const milliseconds = Number(instant / 1000n) + offsetHours * 3_600_000;
  const seconds = new Date(milliseconds).toISOString().slice(0, 19);
  const offset = offsetHours === 0 ? 'Z' : `${offsetHours < 0 ? '-' : '+'}0${Math.abs(offsetHours)}:00`;
  return `${seconds}.${String(instant % 1_000_000n).padStart(6, '0')}${offset}`;
}

const asked = fc.record(
  { service: text, logical_guid: text, channel_code: text, from: micros, to: micros },
  { requiredKeys: [] },
);
const events: fc.Arbitrary<FilteredColumns> = fc.record({
  service: text,
  logicalGuid: fc.option(text),
  channelCode: fc.option(text),
  occurredMicros: micros,
});

/** The question as a reader sends it. */
function question(
  { from, to, ...texts }: Omit<FeedFilterFields, 'from_utc' | 'to_utc'> & { from?: bigint; to?: bigint },
  offsetHours = 0,
): FeedFilterFields {
  return {
    ...texts,
    from_utc: from === undefined ? undefined : written(from, offsetHours),
    to_utc: to === undefined ? undefined : written(to, offsetHours),
  };
}

describe('the filters of the feed', () => {
  it('let an event pass when it is what each of them asks for, from the first instant to before the last', () => {
    fc.assert(
      fc.property(asked, events, (wanted, event) => {
        const demands = [
          [wanted.service, event.service],
          [wanted.logical_guid, event.logicalGuid],
          [wanted.channel_code, event.channelCode],
        ].filter(([demanded]) => demanded !== undefined);
        const isInTime =
          event.occurredMicros >= (wanted.from ?? event.occurredMicros) &&
          event.occurredMicros < (wanted.to ?? event.occurredMicros + 1n);
        expect(passes(event, feedFilters(question(wanted)))).toBe(
          isInTime && demands.every(([demanded, has]) => demanded === has),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('take the first instant that they name, and not the last', () => {
    const event = { service: 'a', logicalGuid: null, channelCode: null, occurredMicros: START_MICROS };
    const isIn = (from: bigint, to: bigint): boolean => passes(event, feedFilters(question({ from, to })));
    expect([isIn(START_MICROS, START_MICROS + 1n), isIn(START_MICROS - 1n, START_MICROS)]).toEqual([true, false]);
  });

  it('are none where nothing is asked', () => {
    expect(feedFilters({})).toEqual({});
    fc.assert(fc.property(events, (event) => expect(passes(event, {})).toBe(true)));
  });

  it('know an instant to the microsecond', () => {
    fc.assert(
      fc.property(micros, fc.integer({ min: -9, max: 9 }), (instant, offset) => {
        expect(feedFilters(question({ from: instant, to: instant + 1n }, offset))).toEqual({
          fromMicros: instant,
          toMicros: instant + 1n,
        });
      }),
    );
  });

  it('know instants before 1970, which an offset can lead to', () => {
    expect(feedFilters({ from_utc: '1970-01-01T00:00:00.25+01:00' })).toEqual({ fromMicros: -3_599_750_000n });
  });
});

describe('the key that tokens are bound to', () => {
  const keyOf = (fields: FeedFilterFields): Record<string, string> => filterKey(feedFilters(fields));

  it('is the same for the same question, however its times are written, and another one for another question', () => {
    const offset = fc.integer({ min: -9, max: 9 });
    fc.assert(
      fc.property(asked, asked, offset, offset, (one, other, a, b) => {
        expect(keyOf(question(one, a))).toEqual(keyOf(question(one, b)));
        const isSame = JSON.stringify(keyOf(question(one, a))) === JSON.stringify(keyOf(question(other, b)));
        expect(isSame).toBe(
          (['service', 'logical_guid', 'channel_code', 'from', 'to'] as const).every(
            (name) => one[name] === other[name],
          ),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('says of each value which filter it is', () => {
    const keys = ['service', 'logical_guid', 'channel_code'].map((name) => JSON.stringify(keyOf({ [name]: 'a' })));
    const instant = written(START_MICROS);
    keys.push(JSON.stringify(keyOf({ from_utc: instant })), JSON.stringify(keyOf({ to_utc: instant })));
    expect(new Set(keys).size).toBe(5);
  });
});
