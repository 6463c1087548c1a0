import { Injectable } from '@nestjs/common';
import type { Db } from '../platform/database/transaction.js';
import type { Gap } from '../webhook/webhook-gaps.dto.js';

/** Five minutes of a webhook. */
export interface TallyRow {
  delivered: number;
  failed: number;
  dead: number;
  /** Counts by class of age. */
  ages: number[];
}

/** The same, lately. */
export interface RecentTallyRow extends TallyRow {
  isOfLastHour: boolean;
}

export interface BacklogRow {
  due: number;
  oldestDueAt: Date | null;
  gaps: Gap[];
}

/** How a webhook fared lately, and what it has before it. */
@Injectable()
export class DeliveryFiguresRepository {
  lastDay(db: Db, orgcode: string, webhookId: string): Promise<RecentTallyRow[]> {
    return db.$queryRaw`
      select t.from_time > clock_timestamp() - interval '1 hour' as "isOfLastHour", t.delivered, t.failed, t.dead, t.ages
      from webhook w join delivery_tally t on t.orgcode = w.orgcode and t.lane = w.lane
      where w.orgcode = ${orgcode} and w.webhook_id = ${webhookId} and t.from_time > clock_timestamp() - interval '1 day'`;
  }

  /** Of all webhooks that the organisation has or had. */
  inPeriod(db: Db, orgcode: string, from: Date, to: Date): Promise<TallyRow[]> {
    return db.$queryRaw`
      select t.delivered, t.failed, t.dead, t.ages
      from webhook w join delivery_tally t on t.orgcode = w.orgcode and t.lane = w.lane
      where w.orgcode = ${orgcode} and t.from_time >= ${from}::timestamptz and t.from_time < ${to}::timestamptz`;
  }

  /** What waits is counted up to a bound. */
  async backlog(db: Db, orgcode: string, webhookId: string, upTo: number): Promise<BacklogRow | undefined> {
    const [row] = await db.$queryRaw<BacklogRow[]>`
      select least(${upTo}, (select count(*) from (select from delivery_due q where q.orgcode = w.orgcode and q.lane = w.lane limit ${upTo}) d)
          + (select count(*) from (select from delivery_waiting q where q.orgcode = w.orgcode and q.lane = w.lane limit ${upTo}) x))::int as due,
        (select min(due_at) from delivery_due q where q.orgcode = w.orgcode and q.lane = w.lane) as "oldestDueAt", w.gaps
      from webhook w where w.orgcode = ${orgcode} and w.webhook_id = ${webhookId}`;
    return row;
  }
}
