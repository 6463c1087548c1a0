import { Injectable } from '@nestjs/common';
import type { PlainTx, Statement, SystemTx, Tx } from '../platform/database/transaction.js';

/** An event as it is matched against subscriptions. */
export interface RoutedEvent {
  position: bigint;
  eventId: string;
  service: string;
  action: string;
  occurredMicros: bigint;
  recordedAt: Date;
  logicalGuid: string | null;
  channelCode: string | null;
  /** Young enough to be pushed when it was accepted. */
  pushed: boolean;
  envelope: string;
}

/** The next events to route, and where the log goes on behind them. */
export interface RoutedBatch {
  events: readonly RoutedEvent[];
  upTo: bigint;
}

type TakenRow = RoutedEvent & { head: bigint; position: bigint | null };

/** How far each organisation's events were routed. */
@Injectable()
export class RouterCursorRepository {
  /** The organisation's events after the position are routed, unless they are already: a cursor that is there stays where it is. */
  async begin(tx: Tx, orgcode: string, position: bigint): Promise<void> {
    await tx.$executeRaw`
      insert into router_cursor (orgcode, position) values (${orgcode}, ${position}) on conflict do nothing`;
  }

  /** How far it is; the router waits until the transaction ends. 0 where nothing is routed. */
  async hold(tx: Tx, orgcode: string): Promise<bigint> {
    const [row] = await tx.$queryRaw<{ position: bigint }[]>`
      select position from router_cursor where orgcode = ${orgcode} for update`;
    return row?.position ?? 0n;
  }

  async holdAcross(tx: PlainTx, orgcode: string): Promise<bigint> {
    const [row] = await tx.rows<{ position: bigint }>(
      'router hold',
      'select position from router_cursor where orgcode = $1 for update',
      [orgcode],
    );
    return row?.position ?? 0n;
  }

  /** The next events; the cursor is ours to the commit. Undefined where another router has it, nobody consumes or there is nothing. */
  taking(orgcode: string, limit: number): Statement<RoutedBatch | undefined> {
    const text = 'select * from ipm_take_events($1, $2)';
    return {
      name: 'router take',
      text,
      values: [orgcode, limit],
      answer: (rows) => batchOf(rows as TakenRow[], limit),
    };
  }

  /** In order. Both ends are given, so that only the partitions between them are opened. */
  events(tx: PlainTx, orgcode: string, after: bigint, upTo: bigint, limit: number): Promise<RoutedEvent[]> {
    return tx.rows(
      'router events',
      `select position, event_id as "eventId", service, action, recorded_at as "recordedAt",
         (extract(epoch from occurred_at) * 1000000)::bigint as "occurredMicros", logical_guid as "logicalGuid", channel_code as "channelCode", pushed, envelope
       from event where orgcode = $1 and position > $2 and position <= $3 order by position limit $4`,
      [orgcode, after, upTo, limit],
    );
  }

  moving(orgcode: string, position: bigint): Statement {
    const text = 'update router_cursor set position = $2, routed_at = clock_timestamp() where orgcode = $1';
    return { name: 'router move', text, values: [orgcode, position], answer: () => undefined };
  }

  /** Where the log ends. */
  heading(orgcode: string): Statement<bigint> {
    const text = 'select position from org_head where orgcode = $1';
    const answer = ([row]: { position?: bigint }[]): bigint => row?.position ?? 0n;
    return { name: 'router head', text, values: [orgcode], answer };
  }

  /** Organisations whose log goes on beyond their cursor. */
  async behind(tx: SystemTx, limit: number): Promise<string[]> {
    const rows = await tx.$queryRaw<{ orgcode: string }[]>`
      select c.orgcode from router_cursor c join org_head h using (orgcode) where h.position > c.position
      order by c.routed_at limit ${limit}`;
    return rows.map(({ orgcode }) => orgcode);
  }
}

function batchOf(rows: readonly TakenRow[], limit: number): RoutedBatch | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const events = first.position === null ? [] : rows; // retention was first
  const last = events.length === limit ? events.at(-1) : undefined;
  return { events, upTo: last?.position ?? first.head };
}
