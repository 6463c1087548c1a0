import { LRUCache } from 'lru-cache';

export const BUCKETS = ['hourly', 'daily', 'weekly', 'monthly', 'seasonal', 'fiscal'] as const;
export type Bucket = (typeof BUCKETS)[number];
/** Their bounds follow from the calendar; seasons and fiscal periods are whatever their owner says. */
export type CalendarBucket = Exclude<Bucket, 'seasonal' | 'fiscal'>;

export type WeekStart = 'monday' | 'saturday' | 'sunday';

/** By which clock and calendar an organisation lives. */
export interface OrganisationCalendar {
  timeZone: string;
  weekStart: WeekStart;
}

/** From its start to before its end. */
export interface Period {
  start: Date;
  end: Date;
}

export interface BucketProblem {
  path: 'bucket_start' | 'bucket_end';
  tag: 'not_aligned' | 'not_after_start' | 'not_the_end';
}

const UTC = 'UTC';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The widest that clocks are ahead of UTC and behind it, with room. */
const AHEAD_MS = 15 * HOUR_MS;
const BEHIND_MS = 13 * HOUR_MS;
const WEEKDAYS: readonly WeekStart[] = ['sunday', 'monday', 'saturday'];
const DAY_NUMBER: Readonly<Record<WeekStart, number>> = { sunday: 0, monday: 1, saturday: 6 };

export function isCalendarBucket(bucket: Bucket): bucket is CalendarBucket {
  return bucket !== 'seasonal' && bucket !== 'fiscal';
}

export function isWeekStart(text: string): text is WeekStart {
  return (WEEKDAYS as readonly string[]).includes(text);
}

/** Whether these are the bounds of such a bucket, in UTC or in the organisation's time zone. */
export function bucketProblem(
  bucket: Bucket,
  { start, end }: Period,
  calendar: OrganisationCalendar,
): BucketProblem | undefined {
  if (start >= end) return { path: 'bucket_end', tag: 'not_after_start' };
  if (!isCalendarBucket(bucket)) return undefined;
  const possible = [UTC, calendar.timeZone].map((timeZone) => periodAround(bucket, start, { ...calendar, timeZone }));
  const aligned = possible.filter((period) => period.start.getTime() === start.getTime());
  if (aligned.length === 0) return { path: 'bucket_start', tag: 'not_aligned' };
  if (aligned.some((period) => period.end.getTime() === end.getTime())) return undefined;
  return { path: 'bucket_end', tag: 'not_the_end' };
}

/** The bucket that an instant lies in. */
export function periodAround(bucket: CalendarBucket, instant: Date, calendar: OrganisationCalendar): Period {
  const clock = clockOf(calendar.timeZone);
  if (bucket === 'hourly') {
    const start = clock.hourStart(instant.getTime());
    return { start: new Date(start), end: new Date(start + HOUR_MS) };
  }
  const day = clock.dayOf(instant.getTime());
  const [first, next] = daysAround(bucket, day, calendar.weekStart);
  return { start: new Date(clock.firstInstantOf(first)), end: new Date(clock.firstInstantOf(next)) };
}

/** The bucket after one that ends there; by the organisation's clock if that bucket went by it, else by UTC. */
export function periodAfter(bucket: CalendarBucket, before: Period, calendar: OrganisationCalendar): Period {
  const own = periodAround(bucket, before.start, calendar);
  const isOwn = own.start.getTime() === before.start.getTime() && own.end.getTime() === before.end.getTime();
  return periodAround(bucket, before.end, isOwn ? calendar : { ...calendar, timeZone: UTC });
}

/** The first day of a bucket of days, and the first one after it, as `2024-02-29`. */
function daysAround(bucket: Exclude<CalendarBucket, 'hourly'>, day: string, weekStart: WeekStart): [string, string] {
  if (bucket === 'daily') return [day, dayAfter(day, 1)];
  if (bucket === 'weekly') {
    const first = dayAfter(day, -((weekdayOf(day) - DAY_NUMBER[weekStart] + 7) % 7));
    return [first, dayAfter(first, 7)];
  }
  const first = `${day.slice(0, 7)}-01`;
  return [first, `${dayAfter(first, 31).slice(0, 7)}-01`];
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

function weekdayOf(day: string): number {
  return new Date(day).getUTCDay();
}

/** What clocks of a time zone show. */
interface Clock {
  hourStart(instantMs: number): number;
  dayOf(instantMs: number): string;
  /** Not always midnight: where clocks are put forward at that hour the day begins later, and a skipped day with the next one. */
  firstInstantOf(day: string): number;
}

const utcClock: Clock = {
  hourStart: (instantMs) => instantMs - (instantMs % HOUR_MS),
  dayOf: (instantMs) => new Date(instantMs).toISOString().slice(0, 10),
  firstInstantOf: (day) => Date.parse(day),
};

class ZoneClock implements Clock {
  private readonly days: Intl.DateTimeFormat;
  private readonly minutes: Intl.DateTimeFormat;
  private readonly firstInstants = new LRUCache<string, number>({ max: 4_000 });

  constructor(timeZone: string) {
    this.days = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    this.minutes = new Intl.DateTimeFormat('en-GB', { timeZone, minute: '2-digit', second: '2-digit' });
  }

  hourStart(instantMs: number): number {
    const [minute = 0, second = 0] = this.minutes.format(instantMs).split(':').map(Number);
    return instantMs - (minute * 60 + second) * 1_000 - (instantMs % 1_000);
  }

  dayOf(instantMs: number): string {
    return this.days.format(instantMs);
  }

  firstInstantOf(day: string): number {
    const known = this.firstInstants.get(day);
    if (known !== undefined) return known;
    let before = Date.parse(day) - AHEAD_MS;
    let within = Date.parse(day) + BEHIND_MS + HOUR_MS;
    while (within - before > 1) {
      const middle = Math.floor((before + within) / 2);
      if (this.dayOf(middle) < day) before = middle;
      else within = middle;
    }
    this.firstInstants.set(day, within);
    return within;
  }
}

const zoneClocks = new LRUCache<string, ZoneClock>({ max: 100 });

function clockOf(timeZone: string): Clock {
  if (timeZone === UTC) return utcClock;
  const known = zoneClocks.get(timeZone);
  if (known) return known;
  const clock = new ZoneClock(timeZone);
  zoneClocks.set(timeZone, clock);
  return clock;
}
