import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';

/** A webhook that is paused, and events that it waits for. */
export interface WaitingBacklog {
  orgcode: string;
  webhookId: string;
  pausedAt: Date;
  /** The last position that it does not wait for. */
  after: bigint;
  /** When the oldest event that it waits for was recorded, as far as it is known. */
  oldestAt: Date | null;
}

export interface LostBacklog extends WaitingBacklog {
  droppedTo: bigint;
}

const AFTER = Prisma.sql`least(w.paused_after, (w.gaps -> 0 ->> 'after')::bigint)`;
const COLUMNS = Prisma.sql`w.orgcode, w.webhook_id as "webhookId", coalesce(w.paused_at, w.updated_at) as "pausedAt", ${AFTER} as "after"`;

/** What paused webhooks wait for, where retention comes near to it. */
@Injectable()
export class WebhookBacklogRepository {
  /** Those that wait for events before a position and were not told of it. */
  endangered(tx: SystemTx, before: bigint, atMost: number): Promise<WaitingBacklog[]> {
    return tx.$queryRaw`
      select ${COLUMNS}, oldest.recorded_at as "oldestAt" from webhook w
      cross join lateral (select recorded_at from event e where e.orgcode = w.orgcode and e.position > ${AFTER} and e.position < ${before}
        order by e.position limit 1) oldest
      where w.status = 'paused' and w.backlog_warned_to < ${before} order by w.lane limit ${atMost}`;
  }

  /** False where another worker was first, or it is not paused any more. */
  async noteWarned(tx: Tx, { orgcode, webhookId, oldestAt }: WaitingBacklog, before: bigint): Promise<boolean> {
    const count = await tx.$executeRaw`
      update webhook set backlog_warned_to = ${before}, backlog_oldest_at = coalesce(backlog_oldest_at, ${oldestAt}::timestamptz)
      where orgcode = ${orgcode} and webhook_id = ${webhookId} and status = 'paused' and backlog_warned_to < ${before}`;
    return count === 1;
  }

  /** Those from which retention has taken something since it was last noted. */
  robbed(tx: SystemTx, atMost: number): Promise<LostBacklog[]> {
    return tx.$queryRaw`
      select ${COLUMNS}, w.backlog_oldest_at as "oldestAt", h.dropped_to as "droppedTo"
      from webhook w join org_head h on h.orgcode = w.orgcode
      where w.status = 'paused' and h.dropped_to > greatest(${AFTER}, w.backlog_lost_to) order by w.lane limit ${atMost}`;
  }

  async noteLost(tx: Tx, { orgcode, webhookId, droppedTo }: LostBacklog, lostFrom: Date): Promise<boolean> {
    const count = await tx.$executeRaw`
      update webhook set backlog_lost_to = ${droppedTo}, backlog_lost_from = coalesce(backlog_lost_from, ${lostFrom}), revision = revision + 1,
        updated_at = clock_timestamp()
      where orgcode = ${orgcode} and webhook_id = ${webhookId} and status = 'paused' and backlog_lost_to < ${droppedTo}`;
    return count === 1;
  }
}
