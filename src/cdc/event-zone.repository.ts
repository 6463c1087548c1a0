import { Injectable } from '@nestjs/common';
import type { SystemTx } from '../platform/database/transaction.js';

/** When the events of some positions occurred; null where there are none. */
export interface EventZone {
  from: bigint;
  to: bigint;
  firstMicros: bigint | null;
  lastMicros: bigint | null;
}

@Injectable()
export class EventZoneRepository {
  /** Those from a position on, in order. */
  from(tx: SystemTx, position: bigint, limit: number): Promise<EventZone[]> {
    return tx.$queryRaw`
      select from_position as "from", to_position as "to", (extract(epoch from first_occurred_at) * 1000000)::bigint as "firstMicros",
        (extract(epoch from last_occurred_at) * 1000000)::bigint as "lastMicros"
      from event_zone where from_position >= ${position} order by from_position limit ${limit}`;
  }

  /** Where the zones end; 1 where there are none. */
  async end(tx: SystemTx): Promise<bigint> {
    const [row] = await tx.$queryRaw<[{ end: bigint }]>`select coalesce(max(to_position), 1) as end from event_zone`;
    return row.end;
  }

  /** Nothing in it may still be uncommitted: a zone is for good. */
  async cut(tx: SystemTx, from: bigint, to: bigint): Promise<void> {
    await tx.$executeRaw`
      insert into event_zone (from_position, to_position, first_occurred_at, last_occurred_at)
      select ${from}, ${to}, min(occurred_at), max(occurred_at) from event where position >= ${from} and position < ${to}
      on conflict do nothing`;
  }

  /** The first position in the range that has an event. */
  async firstIn(tx: SystemTx, from: bigint, to: bigint): Promise<bigint | null> {
    const [row] = await tx.$queryRaw<[{ first: bigint | null }]>`
      select min(position) as first from event where position >= ${from} and position < ${to}`;
    return row.first;
  }

  /** Every transaction before `horizon` has ended when the oldest at work is not older; `next` is the horizon of now. */
  async horizon(tx: SystemTx): Promise<{ oldest: bigint; next: bigint }> {
    const [row] = await tx.$queryRaw<[{ oldest: string; next: string }]>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as oldest, pg_snapshot_xmax(pg_current_snapshot())::text as next`;
    return { oldest: BigInt(row.oldest), next: BigInt(row.next) };
  }
}
