import fc from 'fast-check';
import { parseUtcTime } from './utc-time.js';

const FIRST = Date.UTC(1970, 0, 1);
const LAST = Date.UTC(2200, 11, 31, 23, 59, 59);

describe('a time', () => {
  it('is read to the millisecond, whatever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: FIRST, max: LAST }), (ms) => {
        expect(parseUtcTime(new Date(ms).toISOString())?.getTime()).toBe(ms);
      }),
    );
  });

  it('is the same with any offset', () => {
    const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(fc.integer({ min: FIRST + 86_400_000, max: LAST - 2 * 86_400_000 }), offset, (ms, minutes) => {
        const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1);
        const two = (value: number): string => String(value).padStart(2, '0');
        const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
        expect(parseUtcTime(`${local}${zone}`)?.getTime()).toBe(ms);
      }),
    );
  });

  it('is on a day that exists', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1970, max: 2200 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (year, month, day) => {
          const two = (value: number): string => String(value).padStart(2, '0');
          const text = `${year}-${two(month)}-${two(day)}T12:00:00Z`;
          const date = new Date(Date.UTC(year, month - 1, day, 12));
          const exists =
            date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
          expect(parseUtcTime(text) !== undefined).toBe(exists);
        },
      ),
    );
  });

  it.each([
    '',
    '2026',
    '2026-01-01',
    '2026-01-01T00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00+0100',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890Z',
    '+002026-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '2201-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '2026-01-01T00:00:00+01:60',
  ])('is none: "%s"', (text) => expect(parseUtcTime(text)).toBeUndefined());

  it('throws at no text', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(() => parseUtcTime(text)).not.toThrow()));
  });
});
