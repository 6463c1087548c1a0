import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';
import { EventHoldRepository } from './event-hold.repository.js';

/** For work of other rooms that reads the log for long: retention waits for it, as long as it may wait at all. */
@Injectable()
export class EventHolds {
  constructor(private readonly holds: EventHoldRepository) {}

  /** From now on events after the position stay. */
  hold(tx: Tx, orgcode: string, holder: string, position: bigint): Promise<void> {
    return this.holds.hold(tx, orgcode, holder, position);
  }

  release(tx: Tx, orgcode: string, holder: string): Promise<void> {
    return this.holds.release(tx, orgcode, holder);
  }
}
