import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';

export interface QueueFigures {
  due: number;
  oldestSeconds: number;
  leases: number;
  dead: number;
  behind: number;
  lagSeconds: number;
}

const COUNTED_UP_TO = 100_000;
const LANES_LOOKED_AT = 20_000;
const LOGS_LOOKED_INTO = 1_000;

/** How much waits, over all organisations. */
@Injectable()
export class QueueState {
  constructor(private readonly database: Database) {}

  /** What is held by a pause or by a breaker is not due, however old it is. The oldest of each lane is the first of its key. */
  async figures(): Promise<QueueFigures> {
    const [row] = await this.database.plainAcross('delivery', (tx) =>
      tx.rows<QueueFigures>(
        'queue state',
        `with recursive first as (
           (select lane, due_at from delivery_due order by lane, due_at limit 1)
           union all
           select n.lane, n.due_at from first f cross join lateral
             (select lane, due_at from delivery_due d where d.lane > f.lane order by lane, due_at limit 1) n),
         sendable as (
           select f.lane, f.due_at from (select lane, due_at from first limit $2) f
           join webhook w using (lane) left join webhook_health h using (lane)
           where f.due_at <= clock_timestamp() and w.status = 'active' and (h.not_before is null or h.not_before <= clock_timestamp())),
         behind as (select c.orgcode, c.position from router_cursor c join org_head h using (orgcode) where h.position > c.position)
         select
           (select count(*)::int from (select from sendable s join delivery_due d using (lane)
              where d.due_at <= clock_timestamp() limit $1) d) as due,
           (select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::float8 from sendable) as "oldestSeconds",
           (select count(*)::int from delivery_lease) as leases,
           (select count(*)::int from (select from delivery_dead limit $1) x) as dead,
           (select count(*)::int from behind) as behind,
           (select coalesce(max(extract(epoch from clock_timestamp() - e.recorded_at)), 0)::float8
              from (select orgcode, position from behind limit $3) b cross join lateral
                (select recorded_at from event where orgcode = b.orgcode and position > b.position order by position limit 1) e) as "lagSeconds"`,
        [COUNTED_UP_TO, LANES_LOOKED_AT, LOGS_LOOKED_INTO],
      ),
    );
    if (!row) throw new Error('the queue said nothing');
    return row;
  }
}
