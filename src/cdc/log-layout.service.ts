import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { EventPartitionRepository, type EventPartition } from './event-partition.repository.js';
import { EventZoneRepository, type EventZone } from './event-zone.repository.js';
import type { FeedFilters } from './feed-filters.js';
import type { Stretch } from './feed.repository.js';
import { nextStretch } from './next-stretch.js';

const FRESH_MS = 10_000;
const ZONES_A_READ = 50_000;

/** Where the partitions of the log begin and end and when their events occurred, in memory: a page asks only what may hold some. */
@Injectable()
export class LogLayout {
  private partitions: EventPartition[] = [];
  private readonly zones: EventZone[] = [];
  private readAtMs = 0;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly partitionRows: EventPartitionRepository,
    private readonly zoneRows: EventZoneRepository,
  ) {}

  /** The next stretch after a position that may hold events that pass, of so many partitions at most; undefined past the last one. */
  async next(after: bigint, filters: FeedFilters, partitions: number): Promise<Stretch | undefined> {
    const isBeyond = after + 1n >= (this.partitions.at(-1)?.to ?? 0n);
    if (isBeyond || Date.now() - this.readAtMs > FRESH_MS) await (this.reading ??= this.read());
    return nextStretch(this.partitions, this.zones, after, filters, partitions);
  }

  /** Zones never change: only those past the last known one are read. */
  private async read(): Promise<void> {
    try {
      await this.database.acrossOrganisations('event log layout', async (tx) => {
        this.partitions = await this.partitionRows.all(tx);
        const first = this.partitions[0]?.from ?? 0n;
        const gone = this.zones.findIndex(({ to }) => to > first);
        this.zones.splice(0, gone === -1 ? this.zones.length : gone);
        for (let more = true; more;) {
          const read = await this.zoneRows.from(tx, this.zones.at(-1)?.to ?? first, ZONES_A_READ);
          for (const zone of read) this.zones.push(zone);
          more = read.length === ZONES_A_READ;
        }
      });
      this.readAtMs = Date.now();
    } finally {
      this.reading = undefined;
    }
  }
}
