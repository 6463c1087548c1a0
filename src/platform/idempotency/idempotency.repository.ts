import { Injectable } from '@nestjs/common';
import { Prisma } from '../../generated/prisma/client.js';
import type { SqlPart, SystemTx, Tx } from '../database/transaction.js';

export interface Claim {
  route: string;
  key: string;
  requestHash: Buffer;
  credential: string;
}

export interface EarlierRequest {
  requestHash: Uint8Array;
  credential: string;
  sealed: boolean;
  answer: string | null;
}

@Injectable()
export class IdempotencyRepository {
  /**
   * True: the key is ours until the end of the transaction; an expired one is taken over. A twin in flight makes this wait
   * for its end, bounded by the connection's lock_timeout.
   */
  async claim(tx: Tx, orgcode: string, { route, key, requestHash, credential }: Claim): Promise<boolean> {
    const rows = await tx.$queryRaw<unknown[]>`
      insert into idempotency_key (orgcode, route, key, request_hash, credential, expires_at)
      values (${orgcode}, ${route}, ${key}, ${requestHash}, ${credential}, now() + interval '24 hours')
      on conflict (orgcode, route, key) do update
        set request_hash = excluded.request_hash, credential = excluded.credential, sealed = false, answer = null, expires_at = excluded.expires_at
        where idempotency_key.expires_at < now()
      returning 1`;
    return rows.length === 1;
  }

  find(tx: Tx, orgcode: string, route: string, key: string): Promise<EarlierRequest | null> {
    return tx.idempotencyKey.findUnique({ where: { orgcode_route_key: { orgcode, route, key } } });
  }

  /** Of a key that is ours. */
  answerKept(orgcode: string, { route, key }: Claim, answer: string, sealed: boolean): SqlPart {
    return Prisma.sql`update idempotency_key set answer = ${answer}, sealed = ${sealed}
      where orgcode = ${orgcode} and route = ${route} and key = ${key}`;
  }

  /** At most `limit` rows, so that no sweep holds many locks; answers how many went. */
  async deleteExpired(tx: SystemTx, limit: number): Promise<number> {
    return tx.$executeRaw`
      delete from idempotency_key where ctid = any(array(
        select ctid from idempotency_key where expires_at < now() order by expires_at limit ${limit} for update skip locked))`;
  }
}
