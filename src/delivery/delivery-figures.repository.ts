import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
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

/** As JSON brings it. */
export interface WebhookFiguresRow {
  tallies: RecentTallyRow[];
  due: number;
  oldestDueAt: string | null;
  gaps: Gap[];
}

const MAX_COUNTED = 100_000;

/** How a webhook fared lately, and what it has before it. */
@Injectable()
export class DeliveryFiguresRepository {
  /**
   * One column of a statement over `webhook w`, so that a webhook and how it fares are one read: the last day in steps of five minutes,
   * and what waits, counted up to a bound. `now()`, because no index is searched by a clock that runs on.
   */
  ofWebhook(): Prisma.Sql {
    return Prisma.sql`json_build_object(
    'tallies', (select coalesce(json_agg(json_build_object('isOfLastHour', t.from_time > now() - interval '1 hour',
        'delivered', t.delivered, 'failed', t.failed, 'dead', t.dead, 'ages', t.ages)), '[]')
      from delivery_tally t where t.orgcode = w.orgcode and t.lane = w.lane and t.from_time > now() - interval '1 day'),
    'due', least(${MAX_COUNTED},
      (select count(*) from (select from delivery_due q where q.orgcode = w.orgcode and q.lane = w.lane limit ${MAX_COUNTED}) d)
        + (select count(*) from (select from delivery_waiting q where q.orgcode = w.orgcode and q.lane = w.lane limit ${MAX_COUNTED}) x)),
    'oldestDueAt', (select min(due_at) from delivery_due q where q.orgcode = w.orgcode and q.lane = w.lane),
    'gaps', w.gaps)`;
  }

  /** Of all webhooks that the organisation has or had. */
  inPeriod(db: Db, orgcode: string, from: Date, to: Date): Promise<TallyRow[]> {
    return db.$queryRaw`
      select t.delivered, t.failed, t.dead, t.ages
      from webhook w join delivery_tally t on t.orgcode = w.orgcode and t.lane = w.lane
      where w.orgcode = ${orgcode} and t.from_time >= ${from}::timestamptz and t.from_time < ${to}::timestamptz`;
  }
}
