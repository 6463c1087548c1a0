import { Injectable } from '@nestjs/common';
import type { PlainTx, Tx } from '../platform/database/transaction.js';
import { RouterCursorRepository, type RoutedEvent } from './router-cursor.repository.js';

/** For who subscribes and unsubscribes: where routing of an organisation begins, and how far it is. */
@Injectable()
export class RouterCursors {
  constructor(private readonly cursors: RouterCursorRepository) {}

  /** While the organisation's log is held: what comes after the position will be routed. */
  begin(tx: Tx, orgcode: string, position: bigint): Promise<void> {
    return this.cursors.begin(tx, orgcode, position);
  }

  /** How far it is, and no further until the transaction ends. */
  hold(tx: Tx, orgcode: string): Promise<bigint> {
    return this.cursors.hold(tx, orgcode);
  }

  /** The same for who works over all organisations. */
  holdAcross(tx: PlainTx, orgcode: string): Promise<bigint> {
    return this.cursors.holdAcross(tx, orgcode);
  }

  /** What lies between two positions, in order: the first not included, the last one is. */
  eventsBetween(tx: PlainTx, orgcode: string, after: bigint, upTo: bigint, limit: number): Promise<RoutedEvent[]> {
    return this.cursors.events(tx, orgcode, after, upTo, limit);
  }
}
