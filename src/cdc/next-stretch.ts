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

/** From the first position that may hold a wanted event to the next zone that holds none; without an end where there is no such zone. */
function wantedZones(
  zones: readonly EventZone[],
  after: bigint,
  filters: FeedFilters,
): { from: bigint; to: bigint | undefined } {
  let from = after + 1n;
  if (filters.fromMicros === undefined && filters.toMicros === undefined) return { from, to: undefined };
  // Of a position that no zone speaks of nothing is known: it is looked at.
  let index = firstEndingAfter(zones, from);
  for (let zone = zones[index]; zone && zone.from <= from && !overlaps(zone, filters); zone = zones[index]) {
    from = zone.to;
    index += 1;
  }
  for (let zone = zones[index]; zone && overlaps(zone, filters); zone = zones[index]) index += 1;
  return { from, to: zones[index]?.from };
}

function overlaps(zone: EventZone, { fromMicros, toMicros }: FeedFilters): boolean {
  if (zone.firstMicros === null || zone.lastMicros === null) return false;
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
