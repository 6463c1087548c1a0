import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import type { Db } from '../platform/database/transaction.js';
import type { DeliveryKey } from './delivery-id.js';

export interface DeliveryRow extends DeliveryKey {
  status: 'scheduled' | 'sending' | 'delivered' | 'dead' | 'cancelled';
  attempts: number;
  httpStatus: number | null;
  durationMs: number | null;
  errorTag: string | null;
  excerpt: string | null;
  reason: string | null;
  createdAt: Date;
  attemptedAt: Date | null;
}

export interface AttemptRow {
  attempt: number;
  at: Date;
  durationMs: number;
  httpStatus: number | null;
  errorTag: string;
  excerpt: string | null;
}

export interface EventRow {
  position: bigint;
  eventId: string;
  service: string;
  action: string;
  occurredMicros: bigint;
}

/** A webhook as its deliveries show it. */
export interface WebhookRow {
  lane: bigint;
  webhookId: string;
  status: string;
}

/** Where keys are walked: through all deliveries, through the dead ones, or through those that wait for their time or for others. */
export type DeliverySource = 'all' | 'dead' | 'queue';

export interface DeliverySearch {
  lane: bigint;
  source: DeliverySource;
  /** Those before it in the order of the list are past. */
  below: Omit<DeliveryKey, 'lane'>;
  status: DeliveryRow['status'] | undefined;
  /** Of one event. */
  position: bigint | undefined;
  from: Date | undefined;
  to: Date | undefined;
}

const COLUMNS = Prisma.sql`d.lane, d.position, d.replay_no as "replayNo", d.status::text as status, d.attempts,
  d.http_status as "httpStatus", d.duration_ms as "durationMs", d.error_tag as "errorTag", d.excerpt, d.reason,
  d.created_at as "createdAt", d.attempted_at as "attemptedAt"`;

const KEYS: Readonly<Record<DeliverySource, Prisma.Sql>> = {
  all: Prisma.sql`delivery`,
  dead: Prisma.sql`delivery_dead`,
  queue: Prisma.sql`(select orgcode, lane, position, replay_no from delivery_due
    union all select orgcode, lane, position, replay_no from delivery_waiting)`,
};

/** Deliveries for who looks at them: newest first along their key, which needs no index of its own. */
@Injectable()
export class DeliveryReadingRepository {
  async webhook(db: Db, orgcode: string, webhookId: string): Promise<WebhookRow | undefined> {
    const [row] = await db.$queryRaw<WebhookRow[]>`
      select lane, webhook_id as "webhookId", status from webhook where orgcode = ${orgcode} and webhook_id = ${webhookId}`;
    return row;
  }

  async webhookOfLane(db: Db, orgcode: string, lane: bigint): Promise<WebhookRow | undefined> {
    const [row] = await db.$queryRaw<WebhookRow[]>`
      select lane, webhook_id as "webhookId", status from webhook where orgcode = ${orgcode} and lane = ${lane}`;
    return row;
  }

  /** Up to `limit` that pass, of the next `scanLimit` keys. Only the keys are walked in order; who passes early ends the walk. */
  page(db: Db, orgcode: string, search: DeliverySearch, limit: number, scanLimit: number): Promise<DeliveryRow[]> {
    const { status, from, to } = search;
    return db.$queryRaw`
      select ${COLUMNS} from (${keysOf(orgcode, search)} limit ${scanLimit}) k
      cross join lateral (
        select * from delivery x where x.lane = k.lane and x.position = k.position and x.replay_no = k.replay_no limit 1) d
      where ${status === undefined ? Prisma.sql`true` : Prisma.sql`d.status = ${status}::delivery_status`}
        and ${from === undefined ? Prisma.sql`true` : Prisma.sql`d.created_at >= ${from}`}
        and ${to === undefined ? Prisma.sql`true` : Prisma.sql`d.created_at < ${to}`}
      order by k.position desc, k.replay_no desc limit ${limit}`;
  }

  /** The last key that a page looks at; undefined where the keys end before. */
  async scanEnd(db: Db, orgcode: string, search: DeliverySearch, scanLimit: number): Promise<DeliveryKey | undefined> {
    const [row] = await db.$queryRaw<DeliveryKey[]>`
      select k.lane, k.position, k.replay_no as "replayNo" from (${keysOf(orgcode, search)} offset ${scanLimit - 1} limit 1) k`;
    return row;
  }

  /** How many wait, counted up to a bound. */
  async queued(db: Db, orgcode: string, lane: bigint, upTo: number): Promise<number> {
    const [row] = await db.$queryRaw<[{ count: number }]>`
      select ((select count(*) from (select from delivery_due where orgcode = ${orgcode} and lane = ${lane} limit ${upTo}) d)
        + (select count(*) from (select from delivery_waiting where orgcode = ${orgcode} and lane = ${lane} limit ${upTo}) w))::int as count`;
    return row.count;
  }

  async find(db: Db, orgcode: string, { lane, position, replayNo }: DeliveryKey): Promise<DeliveryRow | undefined> {
    const [row] = await db.$queryRaw<DeliveryRow[]>`
      select ${COLUMNS} from delivery d
      where d.orgcode = ${orgcode} and d.lane = ${lane} and d.position = ${position} and d.replay_no = ${replayNo}`;
    return row;
  }

  /** Oldest first. */
  attempts(db: Db, orgcode: string, { lane, position, replayNo }: DeliveryKey, limit: number): Promise<AttemptRow[]> {
    return db.$queryRaw`
      select attempt, at, duration_ms as "durationMs", http_status as "httpStatus", error_tag as "errorTag", excerpt
      from delivery_attempt where orgcode = ${orgcode} and lane = ${lane} and position = ${position} and replay_no = ${replayNo}
      order by attempt limit ${limit}`;
  }

  /** Those that retention has left. Both ends are given, so that only the partitions between them are opened. */
  async events(db: Db, orgcode: string, positions: readonly bigint[]): Promise<Map<bigint, EventRow>> {
    const rows = await db.$queryRaw<EventRow[]>`
      select position, event_id as "eventId", service, action, (extract(epoch from occurred_at) * 1000000)::bigint as "occurredMicros"
      from event where orgcode = ${orgcode} and position = any(${[...positions]}::bigint[])
        and position >= ${least(positions)} and position <= ${greatest(positions)}
        and position > (select coalesce(max(dropped_to), 0) from org_head where orgcode = ${orgcode})`;
    return new Map(rows.map((row) => [row.position, row]));
  }

  /** When some of a lane are due: one walk over what waits in it, and no further than `scanLimit`. */
  async dueTimes(
    db: Db,
    orgcode: string,
    lane: bigint,
    keys: readonly DeliveryKey[],
    scanLimit: number,
  ): Promise<{ position: bigint; replayNo: number; dueAt: Date }[]> {
    return db.$queryRaw`
      select q.position, q.replay_no as "replayNo", q.due_at as "dueAt"
      from (select position, replay_no, due_at from delivery_due where orgcode = ${orgcode} and lane = ${lane} limit ${scanLimit}) q
      join unnest(${keys.map(({ position }) => position)}::bigint[], ${keys.map(({ replayNo }) => replayNo)}::integer[])
        as u(position, replay_no) using (position, replay_no)`;
  }

  /** What became of an event, for whichever webhooks; of each the newest first. */
  ofEvent(
    db: Db,
    orgcode: string,
    position: bigint,
    limit: number,
  ): Promise<(DeliveryRow & { webhookId: string; webhookStatus: string })[]> {
    return db.$queryRaw`
      select ${COLUMNS}, w.webhook_id as "webhookId", w.status as "webhookStatus" from webhook w cross join lateral (
        select * from delivery x where x.lane = w.lane and x.position = ${position} order by x.replay_no desc limit ${limit}) d
      where w.orgcode = ${orgcode} limit ${limit}`;
  }
}

function keysOf(orgcode: string, { lane, source, below, position }: DeliverySearch): Prisma.Sql {
  return Prisma.sql`select lane, position, replay_no from ${KEYS[source]} s
    where s.orgcode = ${orgcode} and s.lane = ${lane} and (s.position, s.replay_no) < (${below.position}, ${below.replayNo}::integer)
      and ${position === undefined ? Prisma.sql`true` : Prisma.sql`s.position = ${position}`}
    order by s.position desc, s.replay_no desc`;
}

function least(positions: readonly bigint[]): bigint {
  return positions.reduce((least, position) => (position < least ? position : least), positions[0] ?? 0n);
}

function greatest(positions: readonly bigint[]): bigint {
  return positions.reduce((greatest, position) => (position > greatest ? position : greatest), 0n);
}
