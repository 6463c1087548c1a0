import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';

export interface EventCount {
  events: number;
  imported: number;
  /** The last event that was counted. */
  position: bigint;
  /** Whether there may be more of that time. */
  hasMore: boolean;
}

@Injectable()
export class EventCountsRepository {
  constructor(private readonly database: Database) {}

  /** Events after a position that were recorded before a time, at most so many of them. */
  async count(orgcode: string, after: bigint, before: Date, atMost: number): Promise<EventCount> {
    const [row] = await this.database.rows<Omit<EventCount, 'hasMore'> & { looked: number; late: boolean }>(
      orgcode,
      // The origin is the last word of the stored envelope.
      Prisma.sql`
        select count(*) filter (where is_within)::int as events,
          count(*) filter (where is_within and right(envelope, 18) = '"origin":"import"}')::int as imported,
          coalesce(max(position) filter (where is_within), ${after})::bigint as position,
          count(*)::int as looked, coalesce(bool_or(not is_within), false) as late
        from (select position, envelope, recorded_at < ${before}::timestamptz as is_within from event
          where orgcode = ${orgcode} and position > ${after} order by position limit ${atMost}) e`,
    );
    if (!row) throw new Error('a count answered nothing');
    const { events, imported, position, looked, late } = row;
    return { events, imported, position, hasMore: looked === atMost && !late };
  }

  /** Backwards from a position, so many events: the last one that was recorded before a time, or where the look ended. */
  async lookBack(
    orgcode: string,
    below: bigint,
    before: Date,
    atMost: number,
  ): Promise<{ found: bigint | null; end: bigint | null }> {
    const [row] = await this.database.rows<{ found: bigint | null; end: bigint | null }>(
      orgcode,
      Prisma.sql`
        select max(position) filter (where recorded_at < ${before}::timestamptz)::bigint as found, min(position)::bigint as "end"
        from (select position, recorded_at from event where orgcode = ${orgcode} and position < ${below}
          order by position desc limit ${atMost}) e`,
    );
    return row ?? { found: null, end: null };
  }

  /** For how long the first event that is not routed yet has been waiting; 0 where none waits. */
  async lagSeconds(orgcode: string): Promise<number> {
    const [row] = await this.database.rows<{ seconds: number }>(
      orgcode,
      Prisma.sql`
        select extract(epoch from clock_timestamp() - e.recorded_at)::float8 as seconds from router_cursor c
        cross join lateral (
          select recorded_at from event where orgcode = ${orgcode} and position > c.position order by position limit 1) e
        where c.orgcode = ${orgcode}`,
    );
    return Math.max(0, row?.seconds ?? 0);
  }
}
