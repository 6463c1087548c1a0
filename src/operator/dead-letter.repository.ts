import { Injectable } from '@nestjs/common';
import type { DeliveryKey } from '../delivery/delivery-reading.service.js';
import { Prisma } from '../generated/prisma/client.js';
import type { Db, SystemTx } from '../platform/database/transaction.js';
import type { WritebackStatus } from './dead-letter.dto.js';

/** Operators see all organisations; who acts in one sees that one. */
export type AnyTx = Db | SystemTx;

/** A delivery as operators see it, with what stands around it. */
export interface LetterRow extends DeliveryKey {
  orgcode: string;
  deliveryStatus: 'scheduled' | 'sending' | 'delivered' | 'dead' | 'cancelled';
  attempts: number;
  errorTag: string | null;
  reason: string | null;
  createdAt: Date;
  attemptedAt: Date | null;
  endedAt: Date | null;
  mark: 'acknowledged' | 'replayed' | null;
  replayedAs: number | null;
  bulkActId: string | null;
  markedAt: Date | null;
  replayOf: number | null;
  eventId: string | null;
  webhookId: string;
  webhookStatus: string;
  caption: string | null;
  endpointUrl: string;
}

/** Where a dead letter stands in the list: when it failed, and its key. */
export interface LetterPlace extends DeliveryKey {
  at: Date;
}

export interface LetterSearch {
  statuses: readonly WritebackStatus[];
  /** As it is stored: in small letters. */
  cause?: string | undefined;
  orgcode?: string | undefined;
  webhookId?: string | undefined;
  from?: Date | undefined;
  until?: Date | undefined;
  order: 'newest' | 'oldest';
  after?: LetterPlace | undefined;
}

export interface AttemptRow {
  attempt: number;
  at: Date;
  durationMs: number;
  httpStatus: number | null;
  errorTag: string;
}

export interface ActRow {
  actId: string;
  act: 'acknowledged' | 'replayed' | 'created_by_replay' | 'retried_by_hand';
  actor: string;
  payload: Record<string, unknown>;
  at: Date;
}

export interface LetterCounts {
  dead: number;
  cancelled: number;
  retryable: number;
  acknowledged: number;
  replayed: number;
}

/** Which table lists what, by when and why. Each has an index in this order, and the whole of delivery is read by none. */
const LISTS: Readonly<Record<WritebackStatus, { table: Prisma.Sql; at: Prisma.Sql; cause: Prisma.Sql }>> = {
  dead_failed: { table: Prisma.sql`delivery_dead`, at: Prisma.sql`died_at`, cause: Prisma.sql`error_tag` },
  failed: { table: Prisma.sql`delivery_cancelled`, at: Prisma.sql`ended_at`, cause: Prisma.sql`reason` },
  retryable_failed: { table: Prisma.sql`delivery_due`, at: Prisma.sql`failed_at`, cause: Prisma.sql`error_tag` },
};

/**
 * Around some keys. Everything is found by its whole key under LIMIT 1: before its first statistics Postgres would rather read a table
 * of a million dead letters for a page of fifty.
 */
const AROUND = Prisma.sql`
  cross join lateral (
    select * from delivery x where x.lane = k.lane and x.position = k.position and x.replay_no = k.replay_no limit 1) d
  join lateral (select * from webhook x where x.lane = d.lane limit 1) w on true
  left join lateral (
    select died_at from delivery_dead x where x.lane = d.lane and x.position = d.position and x.replay_no = d.replay_no limit 1) l on true
  left join lateral (
    select ended_at from delivery_cancelled x where x.lane = d.lane and x.position = d.position and x.replay_no = d.replay_no limit 1) c on true
  left join lateral (
    select * from dead_letter_mark x where x.lane = d.lane and x.position = d.position and x.replay_no = d.replay_no limit 1) m on true
  left join lateral (
    select x.replay_no from dead_letter_mark x where x.lane = d.lane and x.position = d.position and x.replayed_as = d.replay_no limit 1) o on true
  left join lateral (
    select x.event_id from event x where x.orgcode = d.orgcode and x.position = d.position
      and x.position > (select coalesce(max(dropped_to), 0) from org_head h where h.orgcode = d.orgcode) limit 1) e on true`;

const COLUMNS = Prisma.sql`d.orgcode, d.lane, d.position, d.replay_no as "replayNo", d.status::text as "deliveryStatus", d.attempts,
  d.error_tag as "errorTag", d.reason, d.created_at as "createdAt", d.attempted_at as "attemptedAt", coalesce(l.died_at, c.ended_at)
  as "endedAt", m.status as mark, m.replayed_as as "replayedAs", m.bulk_act_id::text as "bulkActId", m.marked_at as "markedAt",
  o.replay_no as "replayOf", e.event_id as "eventId", w.webhook_id as "webhookId", w.status as "webhookStatus", w.caption,
  w.endpoint_url as "endpointUrl"`;

@Injectable()
export class DeadLetterRepository {
  /** Also what is no dead letter: a replay on its way. */
  async find(tx: AnyTx, { lane, position, replayNo }: DeliveryKey): Promise<LetterRow | undefined> {
    const [row] = await tx.$queryRaw<LetterRow[]>`
      select ${COLUMNS} from (select ${lane}::bigint as lane, ${position}::bigint as position, ${replayNo}::integer as replay_no) k ${AROUND}`;
    return row;
  }

  async orgcodeOf(tx: SystemTx, lane: bigint): Promise<string | undefined> {
    const [row] = await tx.$queryRaw<{ orgcode: string }[]>`select orgcode from webhook where lane = ${lane}`;
    return row?.orgcode;
  }

  /** In order of when they failed, each with its place. */
  page(tx: AnyTx, search: LetterSearch, limit: number): Promise<(LetterRow & { at: Date })[]> {
    return tx.$queryRaw`
      select k.at, ${COLUMNS} from (select * from (${keysOf(search, limit)}) u ${orderOf(search, Prisma.sql`at`)} limit ${limit}) k
      ${AROUND} ${orderOf(search, Prisma.sql`at`, Prisma.sql`k.`)}`;
  }

  /** The places alone, for who counts. */
  places(tx: AnyTx, search: LetterSearch, limit: number): Promise<LetterPlace[]> {
    return tx.$queryRaw`
      select at, lane, position, replay_no as "replayNo" from (${keysOf(search, limit)}) u ${orderOf(search, Prisma.sql`at`)} limit ${limit}`;
  }

  /** How many there are, up to a bound. */
  async count(tx: AnyTx, search: LetterSearch, upTo: number): Promise<number> {
    const [row] = await tx.$queryRaw<[{ count: number }]>`
      select count(*)::int as count from (select 1 from (${keysOf(search, upTo)}) u limit ${upTo}) c`;
    return row.count;
  }

  attempts(tx: AnyTx, { lane, position, replayNo }: DeliveryKey, limit: number): Promise<AttemptRow[]> {
    return tx.$queryRaw`
      select attempt, at, duration_ms as "durationMs", http_status as "httpStatus", error_tag as "errorTag" from delivery_attempt
      where lane = ${lane} and position = ${position} and replay_no = ${replayNo} order by attempt limit ${limit}`;
  }

  acts(tx: AnyTx, { lane, position, replayNo }: DeliveryKey, limit: number): Promise<ActRow[]> {
    return tx.$queryRaw`
      select act_id::text as "actId", act, actor, payload, at from dead_letter_act
      where lane = ${lane} and position = ${position} and replay_no = ${replayNo} order by at, act_id limit ${limit}`;
  }

  /** The number of the delivery that a chain of replays began with; undefined of what is no replay. */
  async firstOf(tx: AnyTx, { lane, position, replayNo }: DeliveryKey): Promise<number | undefined> {
    const [first] = await tx.$queryRaw<{ replayNo: number }[]>`
      with recursive chain as (
        select replay_no, 1 as depth from dead_letter_mark where lane = ${lane} and position = ${position} and replayed_as = ${replayNo}
        union all
        select m.replay_no, c.depth + 1 from chain c
        join dead_letter_mark m on m.lane = ${lane} and m.position = ${position} and m.replayed_as = c.replay_no)
      select replay_no as "replayNo" from chain order by depth desc limit 1`;
    return first?.replayNo;
  }

  async counts(tx: SystemTx): Promise<LetterCounts> {
    const [counts] = await tx.$queryRaw<[LetterCounts]>`
      select (select count(*) from delivery_dead)::int as dead, (select count(*) from delivery_cancelled)::int as cancelled,
        (select count(*) from delivery_due where failed_at is not null)::int as retryable,
        (select count(*) from dead_letter_mark where status = 'acknowledged')::int as acknowledged,
        (select count(*) from dead_letter_mark where status = 'replayed')::int as replayed`;
    return counts;
  }

  /** How many failed since then, by why: read in the indexes alone. */
  causesSince(tx: SystemTx, since: Date): Promise<{ cause: string; count: number }[]> {
    return tx.$queryRaw`
      select cause, sum(count)::int as count from (
        select error_tag as cause, count(*) as count from delivery_dead where died_at >= ${since} group by 1
        union all select reason, count(*) from delivery_cancelled where ended_at >= ${since} group by 1
        union all select error_tag, count(*) from delivery_due where failed_at >= ${since} group by 1) u
      group by cause order by 2 desc, 1`;
  }
}

/** Up to `limit` of each list: more of one are in no page of all. */
function keysOf(search: LetterSearch, limit: number): Prisma.Sql {
  const lists = search.statuses.map((status) => {
    const { table, at } = LISTS[status];
    return Prisma.sql`(select ${at} as at, lane, position, replay_no from ${table} where ${conditionOf(status, search)}
      ${orderOf(search, at)} limit ${limit})`;
  });
  return Prisma.join(lists, ' union all ');
}

function conditionOf(
  status: WritebackStatus,
  { order, after, cause, orgcode, webhookId, from, until }: LetterSearch,
): Prisma.Sql {
  const list = LISTS[status];
  const conditions = [Prisma.sql`${list.at} is not null`];
  const beyond = Prisma.raw(order === 'newest' ? '<' : '>');
  if (after)
    conditions.push(
      Prisma.sql`(${list.at}, lane, position, replay_no) ${beyond} (${after.at}, ${after.lane}, ${after.position}, ${after.replayNo}::integer)`,
    );
  if (cause !== undefined) conditions.push(Prisma.sql`${list.cause} = ${cause}`);
  if (orgcode !== undefined) conditions.push(Prisma.sql`orgcode = ${orgcode}`);
  if (webhookId !== undefined)
    conditions.push(
      Prisma.sql`lane in (select lane from webhook where orgcode = ${orgcode} and webhook_id = ${webhookId})`,
    );
  if (from) conditions.push(Prisma.sql`${list.at} >= ${from}`);
  if (until) conditions.push(Prisma.sql`${list.at} < ${until}`);
  return Prisma.join(conditions, ' and ');
}

function orderOf({ order }: LetterSearch, at: Prisma.Sql, of = Prisma.empty): Prisma.Sql {
  const direction = Prisma.raw(order === 'newest' ? 'desc' : 'asc');
  const columns = [at, Prisma.sql`lane`, Prisma.sql`position`, Prisma.sql`replay_no`];
  return Prisma.sql`order by ${Prisma.join(columns.map((column) => Prisma.sql`${of}${column} ${direction}`))}`;
}
