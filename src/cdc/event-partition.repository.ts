import { Injectable } from '@nestjs/common';
import type { SystemTx } from '../platform/database/transaction.js';

export interface EventPartition {
  name: string;
  /** Its first position. */
  from: bigint;
  /** Past its last one. */
  to: bigint;
  status: 'open' | 'retiring';
  openedAt: Date;
  fullAt: Date | null;
}

/** The tables that the log consists of. What only their owner may do, the database's functions do (migration: event_log). */
@Injectable()
export class EventPartitionRepository {
  /** The last position that was drawn; 0 in an empty log. */
  async drawn(tx: SystemTx): Promise<bigint> {
    const [row] = await tx.$queryRaw<[{ drawn: bigint }]>`
      select case when is_called then last_value else last_value - 1 end as drawn from event_position`;
    return row.drawn;
  }

  /** By position. */
  all(tx: SystemTx): Promise<EventPartition[]> {
    return tx.$queryRaw`
      select name, from_position as "from", to_position as "to", status, opened_at as "openedAt", full_at as "fullAt"
      from event_partition order by from_position`;
  }

  async add(tx: SystemTx, size: number): Promise<void> {
    await tx.$queryRaw`select ipm_add_event_partition(${size}::bigint)`;
  }

  /** Lets the next event begin a new partition. False where the present one is empty. */
  async beginNext(tx: SystemTx): Promise<boolean> {
    const [row] = await tx.$queryRaw<[{ begun: boolean }]>`select ipm_begin_event_partition() as begun`;
    return row.begun;
  }

  async markFull(tx: SystemTx, drawn: bigint): Promise<void> {
    await tx.$executeRaw`
      update event_partition set full_at = clock_timestamp() where full_at is null and to_position <= ${drawn} + 1`;
  }

  async retire(tx: SystemTx, name: string): Promise<void> {
    await tx.$executeRaw`update event_partition set status = 'retiring' where name = ${name}`;
  }

  /** The partition and everything in it, at once. */
  async drop(tx: SystemTx, name: string): Promise<void> {
    await tx.$queryRaw`select ipm_drop_event_partition(${name})::text`;
  }
}
