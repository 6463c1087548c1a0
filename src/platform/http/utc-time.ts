const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
const FIRST_YEAR = 1970;
const LAST_YEAR = 2200;

/** RFC 3339 with an offset and a date that exists; JavaScript itself would turn 30 February into 2 March. */
export function parseUtcTime(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second, , offset] = RFC_3339.exec(text) ?? [];
  if (year === undefined || Number(year) < FIRST_YEAR || Number(year) > LAST_YEAR) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || !isOffset(offset ?? '')) return undefined;
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > lastDay) return undefined;
  return new Date(text.toUpperCase());
}

function isOffset(text: string): boolean {
  const [hours = '0', minutes = '0'] = text.slice(1).split(':');
  return Number(hours) <= 23 && Number(minutes || 0) <= 59;
}
