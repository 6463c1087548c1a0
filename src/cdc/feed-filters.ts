import { canonicalTime } from './event-time.js';

/** What a reader of the log wants of it. Values are literal; absent means any. */
export interface FeedFilters {
  service?: string;
  logicalGuid?: string;
  channelCode?: string;
  /** Inclusive, in microseconds of occurred_at. */
  fromMicros?: bigint;
  /** Exclusive. */
  toMicros?: bigint;
}

export interface FeedFilterFields {
  service?: string | undefined;
  logical_guid?: string | undefined;
  channel_code?: string | undefined;
  from_utc?: string | undefined;
  to_utc?: string | undefined;
}

export interface FilteredColumns {
  service: string;
  logicalGuid: string | null;
  channelCode: string | null;
  occurredMicros: bigint;
}

export function feedFilters({ service, logical_guid, channel_code, from_utc, to_utc }: FeedFilterFields): FeedFilters {
  return {
    ...(service === undefined ? {} : { service }),
    ...(logical_guid === undefined ? {} : { logicalGuid: logical_guid }),
    ...(channel_code === undefined ? {} : { channelCode: channel_code }),
    ...(from_utc === undefined ? {} : { fromMicros: micros(from_utc) }),
    ...(to_utc === undefined ? {} : { toMicros: micros(to_utc) }),
  };
}

/** In a form that tokens are bound to: two ways to write one instant are one filter. */
export function filterKey({ fromMicros, toMicros, ...texts }: FeedFilters): Record<string, string> {
  return {
    ...texts,
    ...(fromMicros === undefined ? {} : { from: String(fromMicros) }),
    ...(toMicros === undefined ? {} : { to: String(toMicros) }),
  };
}

/** The same rule as the repository's SQL, for events that are in memory already. */
export function passes(event: FilteredColumns, filters: FeedFilters): boolean {
  const { service, logicalGuid, channelCode, fromMicros, toMicros } = filters;
  return (
    (service === undefined || event.service === service) &&
    (logicalGuid === undefined || event.logicalGuid === logicalGuid) &&
    (channelCode === undefined || event.channelCode === channelCode) &&
    (fromMicros === undefined || event.occurredMicros >= fromMicros) &&
    (toMicros === undefined || event.occurredMicros < toMicros)
  );
}

/** Of a time that was checked already. */
function micros(time: string): bigint {
  const canonical = canonicalTime(time) ?? time;
  return BigInt(Date.parse(`${canonical.slice(0, 19)}Z`)) * 1000n + BigInt(canonical.slice(20, 26));
}
