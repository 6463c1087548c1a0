import { parseUtcTime } from '../platform/http/utc-time.js';

const FRACTION = /\.(\d{1,9})/;

/**
 * The instant as Postgres keeps it: UTC, microseconds, what is finer cut off. Two ways to write one instant become the same
 * text, which is what makes two events with one id the same event.
 */
export function canonicalTime(text: string): string | undefined {
  const time = parseUtcTime(text);
  if (!time) return undefined;
  const [, fraction = ''] = FRACTION.exec(text) ?? [];
  const seconds = new Date(Math.floor(time.getTime() / 1000) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}
