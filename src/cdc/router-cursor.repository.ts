import { Injectable } from '@nestjs/common';
import type { PlainTx, SystemTx, Tx } from '../platform/database/transaction.js';

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

  /** How far it is and how far the log goes. The cursor is ours to the commit; undefined where another router has it, or nobody consumes. */
  async take(tx: PlainTx, orgcode: string): Promise<{ after: bigint; head: bigint } | undefined> {
    const [row] = await tx.rows<{ after: bigint; head: bigint }>(
      'router take',
      `select c.position as after, coalesce(h.position, 0) as head from router_cursor c left join org_head h using (orgcode)
       where c.orgcode = $1 for update of c skip locked`,
      [orgcode],
    );
    return row;
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

  async move(tx: PlainTx, orgcode: string, position: bigint): Promise<void> {
    await tx.rows(
      'router move',
      'update router_cursor set position = $2, routed_at = clock_timestamp() where orgcode = $1',
      [orgcode, position],
    );
  }

  /** Organisations whose log goes on beyond their cursor. */
  async behind(tx: SystemTx, limit: number): Promise<string[]> {
    const rows = await tx.$queryRaw<{ orgcode: string }[]>`
      select c.orgcode from router_cursor c join org_head h using (orgcode) where h.position > c.position
      order by c.routed_at limit ${limit}`;
    return rows.map(({ orgcode }) => orgcode);
  }
}
