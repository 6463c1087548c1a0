import fc from 'fast-check';
import { canonicalTime } from './event-time.js';

const FIRST_MICROS = BigInt(Date.UTC(1970, 0, 2)) * 1000n;
const LAST_MICROS = BigInt(Date.UTC(2200, 11, 30)) * 1000n;
const instant = fc.bigInt({ min: FIRST_MICROS, max: LAST_MICROS });

interface Spelling {
  offsetMinutes: number;
  letters: { t: string; z: string };
  /** Digits beyond the microsecond, or how many zeros at the end are left out. */
  finer: string;
  isShort: boolean;
}
const spelling: fc.Arbitrary<Spelling> = fc.record({
  offsetMinutes: fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
  letters: fc.record({ t: fc.constantFrom('T', 't'), z: fc.constantFrom('Z', 'z', '') }),
  finer: fc.constantFrom('', '', '0', '9', '999', '000'),
  isShort: fc.boolean(),
});

const two = (value: number): string => String(value).padStart(2, '0');

/** An instant as somebody may write it. */
function written(micros: bigint, { offsetMinutes, letters, finer, isShort }: Spelling): string {
  const minutes = letters.z === '' ? offsetMinutes : 0;
  const local = new Date(Number(micros / 1000n) + minutes * 60_000).toISOString().slice(0, 19).replace('T', letters.t);
  const digits = String(micros % 1_000_000n).padStart(6, '0') + finer;
  const fraction = isShort ? digits.replace(/0+$/, '') : digits;
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${local}${fraction === '' ? '' : `.${fraction}`}${letters.z || offset}`;
}

/** Said once more: in UTC, with six digits. */
function expected(micros: bigint): string {
  const seconds = new Date(Number(micros / 1_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}

describe('the canonical time of an event', () => {
  it('is one text for one instant, however it is written, and keeps it to the microsecond', () => {
    fc.assert(
      fc.property(instant, spelling, (micros, way) => {
        expect(canonicalTime(written(micros, way))).toBe(expected(micros));
      }),
      { numRuns: 1_000 },
    );
  });

  it('stays what it is', () => {
    fc.assert(
      fc.property(instant, spelling, (micros, way) => {
        const canonical = canonicalTime(written(micros, way))!;
        expect(canonicalTime(canonical)).toBe(canonical);
      }),
    );
  });

  it('stands in the order of time when texts are compared', () => {
    const close = fc
      .tuple(instant, fc.bigInt({ min: -3n, max: 3n }))
      .map(([micros, apart]) => [micros, micros + apart]);
    const pair = fc.oneof(close, fc.tuple(instant, instant));
    fc.assert(
      fc.property(pair, spelling, spelling, ([a, b], oneWay, otherWay) => {
        const [first, second] = [canonicalTime(written(a!, oneWay))!, canonicalTime(written(b!, otherWay))!];
        expect([first < second, first === second]).toEqual([a! < b!, a === b]);
      }),
      { numRuns: 500 },
    );
  });

  it('is none for what is no time', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(canonicalTime(text)).toBeUndefined()));
    expect(canonicalTime('2026-02-30T00:00:00Z')).toBeUndefined();
    expect(canonicalTime('2026-02-28T00:00:00')).toBeUndefined();
  });

  it.each([
    ['1970-01-01T00:00:00+23:59', '1969-12-31T00:01:00.000000Z'],
    ['1970-01-01T00:00:00.5+00:01', '1969-12-31T23:59:00.500000Z'],
    ['2200-12-31T23:59:59.999999999-23:59', '2201-01-01T23:58:59.999999Z'],
    ['2026-12-31T23:59:59.9999999Z', '2026-12-31T23:59:59.999999Z'],
    ['2024-02-29T23:30:00-01:00', '2024-03-01T00:30:00.000000Z'],
  ])('of %s is %s', (text, canonical) => expect(canonicalTime(text)).toBe(canonical));
});
