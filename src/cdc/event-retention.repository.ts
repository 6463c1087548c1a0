import { Injectable } from '@nestjs/common';
import type { SystemTx } from '../platform/database/transaction.js';
import type { EventPartition } from './event-partition.repository.js';

export interface DroppedShare {
  orgcode: string;
  lastPosition: bigint;
  events: bigint;
}

type Range = Pick<EventPartition, 'from' | 'to'>;

@Injectable()
export class EventRetentionRepository {
  /** Who still reads events before a position: routers that are behind, and work that holds the log. */
  async readersBefore(tx: SystemTx, position: bigint): Promise<string[]> {
    const rows = await tx.$queryRaw<{ reader: string }[]>`
      select 'router of ' || c.orgcode as reader from router_cursor c
      where c.position < ${position} - 1
        and exists (select from event e where e.orgcode = c.orgcode and e.position > c.position and e.position < ${position})
      union all select holder || ' of ' || orgcode from event_hold where position < ${position} limit 20`;
    return rows.map(({ reader }) => reader);
  }

  /** The next organisation by code that has events in the range which it still shows, and how many. */
  async nextShare(tx: SystemTx, { from, to }: Range, afterOrgcode: string): Promise<DroppedShare | undefined> {
    const [next] = await tx.$queryRaw<{ orgcode: string; lastPosition: bigint }[]>`
      select h.orgcode, e.position as "lastPosition" from org_head h
      cross join lateral (select position from event where orgcode = h.orgcode and position >= ${from} and position < ${to}
        order by position desc limit 1) e
      where h.orgcode > ${afterOrgcode} and e.position > h.dropped_to order by h.orgcode limit 1`;
    if (!next) return undefined;
    const [{ events }] = await tx.$queryRaw<[{ events: bigint }]>`
      select count(*) as events from event where orgcode = ${next.orgcode} and position >= ${from} and position < ${to}`;
    return { ...next, events };
  }

  /** From here on the organisation's readers begin after it. */
  async hide(tx: SystemTx, { orgcode, lastPosition }: DroppedShare): Promise<void> {
    await tx.$executeRaw`
      update org_head set dropped_to = ${lastPosition} where orgcode = ${orgcode} and dropped_to < ${lastPosition}`;
  }

  /** Forgets which events a stretch of the log had: who sends one of them again sends a new one. */
  async pruneKeys(tx: SystemTx, from: bigint, to: bigint): Promise<number> {
    return tx.$executeRaw`
      delete from event_key k using event e
      where e.position >= ${from} and e.position < ${to}
        and k.orgcode = e.orgcode and k.occurred_at = e.occurred_at and k.event_id = e.event_id and k.position = e.position`;
  }

  /** The last position of the range that has an event. */
  async lastIn(tx: SystemTx, { from, to }: Range): Promise<bigint> {
    const [row] = await tx.$queryRaw<[{ last: bigint | null }]>`
      select max(last_in_zone) as last from (select to_position as last_in_zone from event_zone
        where from_position >= ${from} and to_position <= ${to} and first_occurred_at is not null
        union all select position from event where position >= greatest(${from}::bigint,
          (select coalesce(max(to_position), 0) from event_zone where to_position <= ${to})) and position < ${to}) x`;
    return row.last ?? from;
  }
}
