import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { SystemTx } from '../platform/database/transaction.js';
import { EventPartitionRepository, type EventPartition } from './event-partition.repository.js';

export type { EventPartition };

/** Whole partitions that stand ready beyond the one in use: ten million events, should no worker run for a while. */
const PARTITIONS_AHEAD = 2;
const DAY_MS = 24 * 60 * 60_000;

export interface LogStanding {
  /** The last position that was drawn. */
  drawn: number;
  count: number;
  /** Partitions beyond the one in use. */
  ahead: number;
}

/** Sees to it that there is always a partition for the next event, and that each covers a day at most. */
@Injectable()
export class EventPartitions {
  constructor(
    private readonly database: Database,
    private readonly partitions: EventPartitionRepository,
    private readonly configuration: Configuration,
  ) {}

  /** Answers how many were made. Each in a transaction of its own: making one waits for short locks. */
  async keepAhead(): Promise<number> {
    for (let made = 0; ; made += 1) {
      const isEnough = await this.upkeep(async (tx) => {
        if ((await this.standingIn(tx)).ahead >= PARTITIONS_AHEAD) return true;
        await this.partitions.add(tx, this.configuration.events.partitionSize);
        return false;
      });
      if (isEnough) return made;
    }
  }

  standing(): Promise<LogStanding> {
    return this.upkeep((tx) => this.standingIn(tx));
  }

  /** By position. */
  all(): Promise<EventPartition[]> {
    return this.upkeep((tx) => this.partitions.all(tx));
  }

  /** A quiet log would fill its partition in years, and retention could drop nothing until then: once a day it begins a new one. */
  async beginDaily(now: Date): Promise<boolean> {
    const begun = await this.presentSince();
    if (!begun || now.getTime() - begun.getTime() < DAY_MS) return false;
    return this.upkeep((tx) => this.partitions.beginNext(tx));
  }

  /** Notes since when nothing new can fall into a partition. */
  async noteFull(): Promise<void> {
    await this.upkeep(async (tx) => this.partitions.markFull(tx, await this.partitions.drawn(tx)));
  }

  private async standingIn(tx: SystemTx): Promise<LogStanding> {
    const drawn = await this.partitions.drawn(tx);
    const all = await this.partitions.all(tx);
    return { drawn: Number(drawn), count: all.length, ahead: all.filter(({ from }) => from > drawn + 1n).length };
  }

  /** Partitions are made ahead: the one in use was begun when the one before it was full. */
  private presentSince(): Promise<Date | undefined> {
    return this.upkeep(async (tx) => {
      const drawn = await this.partitions.drawn(tx);
      const all = await this.partitions.all(tx);
      const present = all.findIndex(({ from, to }) => from <= drawn && drawn < to);
      return (present > 0 ? all[present - 1]?.fullAt : all[present]?.openedAt) ?? undefined;
    });
  }

  private upkeep<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('event log upkeep', work);
  }
}
