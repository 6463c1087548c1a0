import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { SystemTx } from '../platform/database/transaction.js';
import { EventPartitionRepository } from './event-partition.repository.js';
import { EventZoneRepository } from './event-zone.repository.js';

/** Positions of one zone: a page with a time filter looks at two of them at most in vain. */
const ZONE_POSITIONS = 10_000n;

/** Cuts the log into zones, as soon as nothing in them can change any more. */
@Injectable()
export class EventZones {
  /** The last position drawn when we looked, and the transactions that may have drawn it. */
  private noted: { drawn: bigint; horizon: bigint } | undefined;
  /** Up to here everything has been committed or will never be. */
  private settled = 0n;

  constructor(
    private readonly database: Database,
    private readonly partitions: EventPartitionRepository,
    private readonly zones: EventZoneRepository,
  ) {}

  /** Up to so many zones; answers how many there were. */
  async cut(most: number): Promise<number> {
    await this.upkeep((tx) => this.settle(tx));
    for (let cut = 0; cut < most; cut += 1) {
      if (!(await this.upkeep((tx) => this.cutNext(tx)))) return cut;
    }
    return most;
  }

  /**
   * Who draws a number has a transaction id by then. So once every transaction has ended that was at work when the number was
   * seen, what has not become visible never will.
   */
  private async settle(tx: SystemTx): Promise<void> {
    const drawn = await this.partitions.drawn(tx); // before the horizon, or somebody could draw between the two
    const { oldest, next } = await this.zones.horizon(tx);
    if (this.noted && oldest < this.noted.horizon) return;
    this.settled = this.noted?.drawn ?? 0n;
    this.noted = { drawn, horizon: next };
  }

  private async cutNext(tx: SystemTx): Promise<boolean> {
    const end = await this.zones.end(tx);
    const partition = (await this.partitions.all(tx)).find(({ to }) => to > end);
    if (!partition) return false;
    const from = end > partition.from ? end : partition.from;
    const to = smaller(from + ZONE_POSITIONS, partition.to);
    if (to > this.settled + 1n) return false;
    const isEmpty = (await this.zones.firstIn(tx, from, to)) === null;
    await this.zones.cut(tx, from, isEmpty ? await this.endOfGap(tx, to, partition.to) : to);
    return true;
  }

  /** A partition that was left early is one zone from there to its end. */
  private async endOfGap(tx: SystemTx, from: bigint, partitionEnd: bigint): Promise<bigint> {
    const known = smaller(this.settled + 1n, partitionEnd);
    return (await this.zones.firstIn(tx, from, known)) ?? known;
  }

  private upkeep<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('event log upkeep', work);
  }
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
