import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';

/** Work that still reads the log: retention waits for it. */
@Injectable()
export class EventHoldRepository {
  /** From now on events after the position stay, as long as retention may wait at all. */
  async hold(tx: Tx, orgcode: string, holder: string, position: bigint): Promise<void> {
    await tx.$executeRaw`
      insert into event_hold (orgcode, holder, position) values (${orgcode}, ${holder}, ${position})
      on conflict (orgcode, holder) do update set position = excluded.position`;
  }

  async release(tx: Tx, orgcode: string, holder: string): Promise<void> {
    await tx.$executeRaw`delete from event_hold where orgcode = ${orgcode} and holder = ${holder}`;
  }
}
