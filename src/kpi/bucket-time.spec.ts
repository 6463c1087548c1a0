import { bucketProblem, periodAfter, periodAround, type Bucket, type OrganisationCalendar } from './bucket-time.js';

const IN_UTC: OrganisationCalendar = { timeZone: 'UTC', weekStart: 'monday' };
const inZone = (timeZone: string, weekStart: OrganisationCalendar['weekStart'] = 'monday'): OrganisationCalendar => ({
  timeZone,
  weekStart,
});

const problemOf = (bucket: Bucket, start: string, end: string, calendar = IN_UTC): string | undefined => {
  const problem = bucketProblem(bucket, { start: new Date(start), end: new Date(end) }, calendar);
  return problem && `${problem.path}: ${problem.tag}`;
};

describe('a bucket in UTC', () => {
  it.each<[Bucket, string, string]>([
    ['hourly', '2025-03-30T01:00:00Z', '2025-03-30T02:00:00Z'],
    ['daily', '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['weekly', '2024-02-26T00:00:00Z', '2024-03-04T00:00:00Z'],
    ['monthly', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['monthly', '2025-02-01T00:00:00Z', '2025-03-01T00:00:00Z'],
    ['monthly', '2100-02-01T00:00:00Z', '2100-03-01T00:00:00Z'],
    ['seasonal', '2025-01-17T13:05:07.123Z', '2025-04-01T00:00:00Z'],
    ['fiscal', '2025-04-06T00:00:00Z', '2026-04-06T00:00:00Z'],
  ])('is well formed: %s from %s', (bucket, start, end) => {
    expect(problemOf(bucket, start, end)).toBeUndefined();
  });

  it.each<[Bucket, string, string, string]>([
    ['hourly', '2025-03-30T01:30:00Z', '2025-03-30T02:30:00Z', 'bucket_start: not_aligned'],
    ['hourly', '2025-03-30T01:00:00.001Z', '2025-03-30T02:00:00Z', 'bucket_start: not_aligned'],
    ['hourly', '2025-03-30T01:00:00Z', '2025-03-30T03:00:00Z', 'bucket_end: not_the_end'],
    ['daily', '2023-02-28T00:00:00Z', '2023-03-02T00:00:00Z', 'bucket_end: not_the_end'],
    ['daily', '2023-02-28T01:00:00Z', '2023-03-01T01:00:00Z', 'bucket_start: not_aligned'],
    ['weekly', '2024-02-25T00:00:00Z', '2024-03-03T00:00:00Z', 'bucket_start: not_aligned'],
    ['monthly', '2024-02-01T00:00:00Z', '2024-02-29T00:00:00Z', 'bucket_end: not_the_end'],
    ['monthly', '2024-02-02T00:00:00Z', '2024-03-02T00:00:00Z', 'bucket_start: not_aligned'],
    ['seasonal', '2025-04-01T00:00:00Z', '2025-04-01T00:00:00Z', 'bucket_end: not_after_start'],
    ['hourly', '2025-03-30T02:00:00Z', '2025-03-30T01:00:00Z', 'bucket_end: not_after_start'],
  ])('is refused: %s from %s to %s', (bucket, start, end, problem) => {
    expect(problemOf(bucket, start, end)).toBe(problem);
  });
});

describe("a bucket in the organisation's time zone", () => {
  it.each<[string, Bucket, string, string, OrganisationCalendar]>([
    ['the day that loses an hour', 'daily', '2025-03-29T23:00:00Z', '2025-03-30T22:00:00Z', inZone('Europe/Berlin')],
    ['the day that gains one', 'daily', '2025-10-25T22:00:00Z', '2025-10-26T23:00:00Z', inZone('Europe/Berlin')],
    [
      'a day that begins at one o’clock',
      'daily',
      '2025-04-24T22:00:00Z',
      '2025-04-25T21:00:00Z',
      inZone('Africa/Cairo'),
    ],
    [
      'the day before a day that never was',
      'daily',
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
      inZone('Pacific/Apia'),
    ],
    ['an hour at half past', 'hourly', '2025-06-01T18:30:00Z', '2025-06-01T19:30:00Z', inZone('Asia/Kolkata')],
    ['an hour at a quarter to', 'hourly', '2025-06-01T18:15:00Z', '2025-06-01T19:15:00Z', inZone('Asia/Kathmandu')],
    [
      'a week from Sunday',
      'weekly',
      '2025-03-09T05:00:00Z',
      '2025-03-16T04:00:00Z',
      inZone('America/New_York', 'sunday'),
    ],
    [
      'a month of winter and summer',
      'monthly',
      '2025-03-01T05:00:00Z',
      '2025-04-01T04:00:00Z',
      inZone('America/New_York'),
    ],
    ['and still in UTC', 'daily', '2025-03-30T00:00:00Z', '2025-03-31T00:00:00Z', inZone('Europe/Berlin')],
  ])('is well formed: %s', (_what, bucket, start, end, calendar) => {
    expect(problemOf(bucket, start, end, calendar)).toBeUndefined();
  });

  it('is no bucket of 24 hours where the day has 23', () => {
    expect(problemOf('daily', '2025-03-29T23:00:00Z', '2025-03-30T23:00:00Z', inZone('Europe/Berlin'))).toBe(
      'bucket_end: not_the_end',
    );
  });

  it('is not one of another zone', () => {
    expect(problemOf('daily', '2025-06-01T22:00:00Z', '2025-06-02T22:00:00Z', IN_UTC)).toBe(
      'bucket_start: not_aligned',
    );
  });
});

describe('buckets of a year', () => {
  it.each(['UTC', 'Europe/London', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Chatham', 'America/Havana'])(
    'follow each other without a gap and hold the instants they are asked for: %s',
    (timeZone) => {
      for (const bucket of ['daily', 'weekly', 'monthly'] as const) {
        let period = periodAround(bucket, new Date('2024-01-01T12:00:00Z'), inZone(timeZone));
        while (period.start < new Date('2025-02-01T00:00:00Z')) {
          expect(
            problemOf(bucket, period.start.toISOString(), period.end.toISOString(), inZone(timeZone)),
          ).toBeUndefined();
          expect(periodAround(bucket, new Date(period.end.getTime() - 1), inZone(timeZone))).toEqual(period);
          const next = periodAfter(bucket, period, inZone(timeZone));
          expect(next.start).toEqual(period.end);
          period = next;
        }
      }
    },
  );

  it('go on by UTC where they went by UTC', () => {
    const before = { start: new Date('2025-06-01T00:00:00Z'), end: new Date('2025-06-02T00:00:00Z') };
    expect(periodAfter('daily', before, inZone('Asia/Tokyo')).end).toEqual(new Date('2025-06-03T00:00:00Z'));
  });
});
