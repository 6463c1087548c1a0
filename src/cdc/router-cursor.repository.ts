import { Injectable } from '@nestjs/common';
import type { SystemTx, Tx } from '../platform/database/transaction.js';

/** An event as it is matched against subscriptions. */
export interface RoutedEvent {
  position: bigint;
  eventId: string;
  service: string;
  action: string;
  occurredAt: Date;
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
  /**
   * From now on the organisation's events are routed, beginning with the next one: the log's lock is held to the commit, so
   * nothing is drawn in between. A cursor that is there stays where it is. Answers the last position drawn so far.
   */
  async begin(tx: Tx, orgcode: string): Promise<bigint> {
    await tx.$queryRaw`select pg_advisory_xact_lock(4711, hashtext(${orgcode}))::text`;
    const [row] = await tx.$queryRaw<[{ head: bigint }]>`
      select coalesce((select position from org_head where orgcode = ${orgcode}), 0)::bigint as head`;
    await tx.$executeRaw`
      insert into router_cursor (orgcode, position) values (${orgcode}, ${row.head}) on conflict do nothing`;
    return row.head;
  }

  /** Ours to the commit; undefined where another router has it, or nobody consumes. */
  async take(tx: SystemTx, orgcode: string): Promise<bigint | undefined> {
    const [row] = await tx.$queryRaw<{ position: bigint }[]>`
      select position from router_cursor where orgcode = ${orgcode} for update skip locked`;
    return row?.position;
  }

  async head(tx: SystemTx, orgcode: string): Promise<bigint> {
    const [row] = await tx.$queryRaw<{ head: bigint }[]>`
      select position as head from org_head where orgcode = ${orgcode}`;
    return row?.head ?? 0n;
  }

  /** In order. Both ends are given, so that only the partitions between them are opened. */
  events(tx: SystemTx, orgcode: string, after: bigint, upTo: bigint, limit: number): Promise<RoutedEvent[]> {
    return tx.$queryRaw`
      select position, event_id as "eventId", service, action, occurred_at as "occurredAt", recorded_at as "recordedAt",
        logical_guid as "logicalGuid", channel_code as "channelCode", pushed, envelope
      from event where orgcode = ${orgcode} and position > ${after}::bigint and position <= ${upTo}::bigint
      order by position limit ${limit}`;
  }

  async move(tx: SystemTx, orgcode: string, position: bigint): Promise<void> {
    await tx.$executeRaw`
      update router_cursor set position = ${position}, routed_at = clock_timestamp() where orgcode = ${orgcode}`;
  }

  /** Organisations whose log goes on beyond their cursor. */
  async behind(tx: SystemTx, limit: number): Promise<string[]> {
    const rows = await tx.$queryRaw<{ orgcode: string }[]>`
      select c.orgcode from router_cursor c join org_head h using (orgcode) where h.position > c.position
      order by c.routed_at limit ${limit}`;
    return rows.map(({ orgcode }) => orgcode);
  }
}
