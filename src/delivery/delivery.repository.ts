import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { PlainTx, Statement } from '../platform/database/transaction.js';
import type { DeliveryKey } from './delivery-id.js';
import { LeaseTimes } from './lease-times.js';

const SUSPECTS_LOOKED_AT = 500;

export interface NewDelivery {
  lane: bigint;
  position: bigint;
  orderingKey: string | null;
  /** Sent by the process that inserts it, without waiting in the queue. */
  atOnce: boolean;
}

export interface ClaimedRow extends DeliveryKey {
  lease: bigint;
  orgcode: string;
  attempts: number;
  lostWith: number;
  orderingKey: string | null;
  createdAt: Date;
  isRetried: boolean;
  /** These null where retention has taken the event. */
  eventId: string | null;
  occurredMicros: bigint | null;
  recordedAt: Date | null;
  envelope: string | null;
}

export interface WantedLane {
  lane: bigint;
  atMost: number;
  /** Calls per second over all workers. */
  rate: number | null;
}

export interface ReplayNumber {
  lease: bigint | null;
  position: bigint;
  replayNo: number;
}

/** The queue's end of deliveries: written when events are routed, taken when they are due. */
@Injectable()
export class DeliveryRepository {
  constructor(
    private readonly database: Database,
    private readonly lease: LeaseTimes,
  ) {}

  /** Once each, in the transaction that moves a cursor. The first answers the lease of those that are sent at once; null where there is none. */
  inserting(
    orgcode: string,
    deliveries: readonly NewDelivery[],
    worker: string,
  ): [Statement<bigint | null>, ...Statement[]] {
    const insert = {
      name: 'delivery insert',
      text: 'select ipm_insert_deliveries($1, $2::bigint[], $3::bigint[], $4::text[], $5::boolean[], $6, $7) as lease',
      values: [
        orgcode,
        deliveries.map(({ lane }) => lane),
        deliveries.map(({ position }) => position),
        deliveries.map(({ orderingKey }) => orderingKey),
        deliveries.map(({ atOnce }) => atOnce),
        this.lease.seconds,
        worker,
      ],
      answer: ([row]: { lease?: bigint | null }[]) => row?.lease ?? null,
    };
    const ordered = deliveries.filter(({ orderingKey }) => orderingKey !== null);
    return ordered.length > 0 ? [insert, queueingOrdered(orgcode, ordered)] : [insert];
  }

  async insert(tx: PlainTx, orgcode: string, deliveries: readonly NewDelivery[], worker: string): Promise<void> {
    for (const statement of this.inserting(orgcode, deliveries, worker)) await tx.run(statement);
  }

  /** What is due in these lanes, with the events. Suspects, with which workers were lost, are asked for apart. */
  claim(lanes: readonly WantedLane[], worker: string, suspects = false): Promise<ClaimedRow[]> {
    return this.database.callAcross('delivery', {
      name: 'delivery claim',
      call: 'ipm_claim_deliveries($1::bigint[], $2::integer[], $3::integer[], $4, $5, $6)',
      values: [
        lanes.map(({ lane }) => lane),
        lanes.map(({ atMost }) => atMost),
        lanes.map(({ rate }) => rate),
        suspects,
        this.lease.seconds,
        worker,
      ],
    });
  }

  /** Once more, each under a number of its own. */
  insertReplays(
    orgcode: string,
    lane: bigint,
    positions: readonly bigint[],
    { atOnce, worker }: { atOnce: boolean; worker: string },
  ): Promise<ReplayNumber[]> {
    return this.database.callAcross('delivery', {
      name: 'delivery replays',
      call: 'ipm_insert_replays($1, $2, $3::bigint[], $4, $5, $6)',
      values: [orgcode, lane, positions, atOnce, this.lease.seconds, worker],
    });
  }

  /** Those that are still ours. */
  async extend(fences: readonly bigint[]): Promise<Set<bigint>> {
    const rows = await this.database.plainAcross('delivery', (tx) =>
      tx.rows<{ lease: bigint }>(
        'lease extend',
        `update delivery_lease set lease_until = clock_timestamp() + make_interval(secs => $2)
         where lease = any($1::bigint[]) and lease_until > clock_timestamp() returning lease`,
        [fences, this.lease.seconds],
      ),
    );
    return new Set(rows.map(({ lease }) => lease));
  }

  /** Gives back what lost workers had; the lanes that have work again. */
  async recover(leasesAtMost: number): Promise<bigint[]> {
    const rows = await this.database.callAcross<{ lane: bigint }>('delivery', {
      name: 'delivery recover',
      call: 'ipm_recover_deliveries($1)',
      values: [leasesAtMost],
    });
    return rows.map(({ lane }) => lane);
  }

  /**
   * Lanes with something due, by leaps over the key: its cost goes with the lanes that wait and not with what waits in them. Of revoked
   * webhooks all, for what waits there is ended and not sent.
   */
  async dueLanes(after: bigint, limit: number): Promise<{ lane: bigint; orgcode: string; status: string }[]> {
    return this.database.plainAcross('delivery', (tx) =>
      tx.rows(
        'lanes due',
        `with recursive first as (
           (select lane, due_at from delivery_due where lane > $1 order by lane, due_at limit 1)
           union all
           select n.lane, n.due_at from first f cross join lateral
             (select lane, due_at from delivery_due d where d.lane > f.lane order by lane, due_at limit 1) n)
         select f.lane, w.orgcode, w.status from first f join webhook w using (lane) left join webhook_health h using (lane)
         where w.status = 'revoked' or
           (w.status = 'active' and f.due_at <= clock_timestamp() and (h.not_before is null or h.not_before <= clock_timestamp()))
         limit $2`,
        [after, limit],
      ),
    );
  }

  /** Lanes of deliveries that workers were lost with, of those that have waited longest. */
  suspectLanes(): Promise<{ lane: bigint; orgcode: string }[]> {
    return this.database.plainAcross('delivery', (tx) =>
      tx.rows(
        'suspect lanes',
        `select lane, orgcode from (
           select d.lane, w.orgcode, d.due_at from delivery_due d join webhook w using (lane) left join webhook_health h using (lane)
           where d.suspect and d.due_at <= clock_timestamp() and w.status = 'active'
             and (h.not_before is null or h.not_before <= clock_timestamp())
           order by d.due_at limit $1) s
         group by lane, orgcode order by min(due_at)`,
        [SUSPECTS_LOOKED_AT],
      ),
    );
  }

  /** Ends what waits for a revoked webhook, some at a time; how many. */
  async cancel(lane: bigint, atMost: number): Promise<number> {
    const [row] = await this.database.callAcross<{ r: bigint }>('delivery', {
      name: 'delivery cancel',
      call: `ipm_cancel_deliveries($1, 'webhook_revoked', $2)`,
      values: [lane, atMost],
    });
    return Number(row?.r ?? 0n);
  }
}

function queueingOrdered(orgcode: string, ordered: readonly NewDelivery[]): Statement {
  return {
    name: 'delivery queue ordered',
    text: 'select ipm_queue_ordered($1, $2::bigint[], $3::bigint[], $4::text[])::text',
    values: [
      orgcode,
      ordered.map(({ lane }) => lane),
      ordered.map(({ position }) => position),
      ordered.map(({ orderingKey }) => orderingKey),
    ],
    answer: () => undefined,
  };
}
