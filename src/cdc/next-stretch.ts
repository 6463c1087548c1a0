import type { EventPartition } from './event-partition.repository.js';
import type { EventZone } from './event-zone.repository.js';
import type { FeedFilters } from './feed-filters.js';
import type { Stretch } from './feed.repository.js';

/**
 * Where to look next after a position. A stretch covers few partitions, because Postgres plans for each that it may have to
 * open, and passes over zones whose events all occurred outside the wanted time.
 */
export function nextStretch(
  partitions: readonly Pick<EventPartition, 'from' | 'to'>[],
  zones: readonly EventZone[],
  after: bigint,
  filters: FeedFilters,
  mostPartitions: number,
): Stretch | undefined {
  const { from, to } = wantedZones(zones, after, filters);
  const first = partitions.findIndex((partition) => partition.to > from);
  if (first === -1) return undefined;
  const last = partitions[Math.min(first + mostPartitions, partitions.length) - 1];
  const before = to === undefined || (last && last.to < to) ? last?.to : to;
  return before === undefined ? undefined : { after: from - 1n, before };
}

/** From the first position that may hold a wanted event to the end of the zones that follow on it; without an end past the last zone. */
function wantedZones(
  zones: readonly EventZone[],
  after: bigint,
  filters: FeedFilters,
): { from: bigint; to: bigint | undefined } {
  const start = after + 1n;
  if (filters.fromMicros === undefined && filters.toMicros === undefined) return { from: start, to: undefined };
  let index = firstEndingAfter(zones, start);
  while (index < zones.length && !overlaps(zones[index], filters)) index += 1;
  const wanted = zones[index];
  if (!wanted) return { from: later(start, zones.at(-1)?.to), to: undefined };
  let end = index;
  while (end < zones.length && overlaps(zones[end], filters)) end += 1;
  // Past the last zone lies what has none yet.
  return { from: later(start, wanted.from), to: end === zones.length ? undefined : zones[end]?.from };
}

function overlaps(zone: EventZone | undefined, { fromMicros, toMicros }: FeedFilters): boolean {
  if (!zone || zone.firstMicros === null || zone.lastMicros === null) return false;
  return (
    (fromMicros === undefined || zone.lastMicros >= fromMicros) &&
    (toMicros === undefined || zone.firstMicros < toMicros)
  );
}

function firstEndingAfter(zones: readonly EventZone[], position: bigint): number {
  let [low, high] = [0, zones.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((zones[middle]?.to ?? 0n) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

function later(a: bigint, b: bigint | undefined): bigint {
  return b !== undefined && b > a ? b : a;
}
