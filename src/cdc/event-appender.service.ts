import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { isPartitionMissing } from '../platform/database/database-errors.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { Arrivals } from './arrivals.service.js';
import { mergeGroup, shareOut, takeGroup, type WaitingCall } from './append-lane.js';
import { EventLogRepository, type Appended, type AppendOptions, type LogEntry } from './event-log.repository.js';
import { EventPartitions } from './event-partitions.service.js';

/** Calls of one organisation that may wait for their commit in one process; beyond, the caller is told to come back. */
const MAX_WAITING_CALLS = 5_000;

/** The events were checked against a catalog that has changed since: check them again. */
export class CatalogMoved extends Error {}

interface Lane {
  queue: WaitingCall[];
  isAtWork: boolean;
}

/**
 * Appends to the log. While a commit of an organisation is on its way, its calls gather and share the next one: nobody waits
 * for company, and a busy organisation commits hundreds of calls at once. Organisations do not wait for each other.
 */
@Injectable()
export class EventAppender {
  private readonly lanes = new Map<string, Lane>();
  private readonly ready: string[] = [];
  private freeSlots: number;

  constructor(
    private readonly log: EventLogRepository,
    private readonly partitions: EventPartitions,
    private readonly arrivals: Arrivals,
    private readonly configuration: Configuration,
  ) {
    // The rest of the connections is for reads, which must not wait for writers of a busy organisation.
    this.freeSlots = Math.max(1, Math.ceil(configuration.database.poolSize * 0.6));
  }

  /** When it answers, the events are durable. Throws `CatalogMoved` where they were checked against an older catalog. */
  append(orgcode: string, entries: readonly LogEntry[], catalogVersion: bigint | null): Promise<Appended[]> {
    return new Promise((resolve, reject) => {
      const lane = this.lanes.get(orgcode) ?? { queue: [], isAtWork: false };
      if (lane.queue.length >= MAX_WAITING_CALLS) {
        reject(new AppError(platformErrors.databaseBusy));
        return;
      }
      this.lanes.set(orgcode, lane);
      lane.queue.push({ entries, catalogVersion, resolve, reject });
      if (!lane.isAtWork) {
        lane.isAtWork = true;
        this.ready.push(orgcode);
        this.startReady();
      }
    });
  }

  /** As the last thing of a transaction that does something else; who opened it announces the arrival after the commit. */
  appendWithin(tx: Tx, orgcode: string, entries: readonly LogEntry[]): Promise<Appended[]> {
    return this.log.appendWithin(tx, orgcode, entries, this.optionsWith(null));
  }

  private startReady(): void {
    while (this.freeSlots > 0) {
      const orgcode = this.ready.shift();
      if (orgcode === undefined) return;
      this.freeSlots -= 1;
      void this.commitNext(orgcode).finally(() => {
        this.freeSlots += 1;
        this.startReady();
      });
    }
  }

  /** One commit; then the organisation goes to the end of the line if more has gathered. Never throws. */
  private async commitNext(orgcode: string): Promise<void> {
    const lane = this.lanes.get(orgcode);
    if (!lane) return;
    await this.commit(orgcode, takeGroup(lane.queue));
    if (lane.queue.length > 0) this.ready.push(orgcode);
    else this.lanes.delete(orgcode);
  }

  private async commit(orgcode: string, calls: WaitingCall[]): Promise<void> {
    const merged = mergeGroup(calls);
    try {
      const appended = await this.appendOrMakeRoom(orgcode, merged.entries, calls[0]?.catalogVersion ?? null);
      if (appended.length === 0) throw new CatalogMoved();
      const shares = shareOut(merged, appended);
      calls.forEach(({ resolve }, i) => resolve(shares[i] ?? []));
      this.arrivals.announce(orgcode);
    } catch (error) {
      if (calls.length === 1 || error instanceof CatalogMoved || isAway(error))
        for (const { reject } of calls) reject(error);
      else for (const call of calls) await this.commit(orgcode, [call]); // one of them is at fault, the others are not
    }
  }

  private async appendOrMakeRoom(
    orgcode: string,
    entries: readonly LogEntry[],
    catalogVersion: bigint | null,
  ): Promise<Appended[]> {
    const options = this.optionsWith(catalogVersion);
    try {
      return await this.log.append(orgcode, entries, options);
    } catch (error) {
      if (!isPartitionMissing(error)) throw error;
      await this.partitions.keepAhead(); // no worker has made one for long; the transaction is undone
      return this.log.append(orgcode, entries, options);
    }
  }

  private optionsWith(catalogVersion: bigint | null): AppendOptions {
    return { catalogVersion, maxPushAgeSeconds: this.configuration.events.maxPushAgeSeconds };
  }
}

/** Nothing is wrong with the calls: one after the other they would only fail slower. */
function isAway(error: unknown): boolean {
  return error instanceof AppError && error.failure.status === 503;
}
