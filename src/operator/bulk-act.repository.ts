import { Injectable } from '@nestjs/common';
import { Prisma, type DeadLetterBulkAct } from '../generated/prisma/client.js';
import type { SystemTx } from '../platform/database/transaction.js';

export type BulkActRecord = DeadLetterBulkAct;

/** Acts on many dead letters. They belong to no organisation, so only the system's role sees them. */
@Injectable()
export class BulkActRepository {
  insert(tx: SystemTx, order: Pick<BulkActRecord, 'act' | 'reason'> & { filter: object }): Promise<BulkActRecord> {
    return tx.deadLetterBulkAct.create({ data: order });
  }

  find(tx: SystemTx, bulkActId: string): Promise<BulkActRecord | null> {
    return tx.deadLetterBulkAct.findUnique({ where: { bulkActId } });
  }

  async askToCancel(tx: SystemTx, bulkActId: string): Promise<void> {
    await tx.deadLetterBulkAct.updateMany({
      where: { bulkActId, status: { not: 'completed' } },
      data: { cancelAsked: true, updatedAt: new Date() },
    });
  }

  /** The oldest first. */
  open(tx: SystemTx, atMost: number): Promise<BulkActRecord[]> {
    return tx.deadLetterBulkAct.findMany({
      where: { status: { not: 'completed' } },
      orderBy: { createdAt: 'asc' },
      take: atMost,
    });
  }

  keep(tx: SystemTx, bulkActId: string, change: Prisma.DeadLetterBulkActUpdateInput): Promise<BulkActRecord> {
    return tx.deadLetterBulkAct.update({ where: { bulkActId }, data: { ...change, updatedAt: new Date() } });
  }
}
