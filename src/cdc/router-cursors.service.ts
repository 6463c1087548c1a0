import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';
import { RouterCursorRepository } from './router-cursor.repository.js';

/** For who subscribes and unsubscribes: where routing of an organisation begins, and how far it is. */
@Injectable()
export class RouterCursors {
  constructor(private readonly cursors: RouterCursorRepository) {}

  /** As the last thing of a transaction: it holds the log. Answers the last position so far; later ones will be routed. */
  begin(tx: Tx, orgcode: string): Promise<bigint> {
    return this.cursors.begin(tx, orgcode);
  }

  /** How far it is, and no further until the transaction ends. */
  hold(tx: Tx, orgcode: string): Promise<bigint> {
    return this.cursors.hold(tx, orgcode);
  }
}
