import { Injectable } from '@nestjs/common';
import type { KpiRollup, Prisma } from '../generated/prisma/client.js';
import type { Db, SystemTx, Tx } from '../platform/database/transaction.js';

export type RollupRecord = KpiRollup;

export interface NewRollup {
  rollupId: string;
  kpiCode: string;
  intoKpiCode: string;
  scope: string;
  logicalGuid: string | undefined;
  channelCode: string | undefined;
  dimensions: object;
  fromBucket: string;
  toBucket: string;
  aggregate: string;
  fromUtc: Date;
  toUtc: Date;
  reason: string;
}

/** How far a run is, and what it has done in this step. */
export interface RollupStep {
  series: bigint;
  doneTo: Date | null;
  recorded: number;
  revised: number;
  unchanged: number;
  leftOut: number;
}

@Injectable()
export class KpiRollupRepository {
  countOpen(tx: Tx, orgcode: string): Promise<number> {
    return tx.kpiRollup.count({ where: { orgcode, status: { not: 'completed' } } });
  }

  /** Undefined where the organisation has one of that id. */
  async insert(tx: Tx, orgcode: string, rollup: NewRollup): Promise<RollupRecord | undefined> {
    const [record] = await tx.kpiRollup.createManyAndReturn({
      data: [{ ...rollup, orgcode } as Prisma.KpiRollupCreateManyInput],
      skipDuplicates: true,
    });
    return record;
  }

  noteRun(tx: Tx, orgcode: string, rollupId: string, operationRunId: number): Promise<RollupRecord> {
    return tx.kpiRollup.update({ where: { orgcode_rollupId: { orgcode, rollupId } }, data: { operationRunId } });
  }

  find(db: Db, orgcode: string, rollupId: string): Promise<RollupRecord | null> {
    return db.kpiRollup.findUnique({ where: { orgcode_rollupId: { orgcode, rollupId } } });
  }

  /** Of all organisations, the oldest first. */
  open(tx: SystemTx, limit: number): Promise<{ orgcode: string; rollupId: string }[]> {
    return tx.kpiRollup.findMany({
      where: { status: { not: 'completed' } },
      orderBy: { createdAt: 'asc' },
      take: limit,
      select: { orgcode: true, rollupId: true },
    });
  }

  /** False where another worker is further by now. */
  async advance(
    tx: Tx,
    { orgcode, rollupId, series, doneTo }: RollupRecord,
    step: RollupStep,
    operationRunId: number,
  ): Promise<boolean> {
    const { count } = await tx.kpiRollup.updateMany({
      where: { orgcode, rollupId, series, doneTo, status: { not: 'completed' } },
      data: {
        status: 'running',
        series: step.series,
        doneTo: step.doneTo,
        operationRunId,
        recorded: { increment: step.recorded },
        revised: { increment: step.revised },
        unchanged: { increment: step.unchanged },
        leftOut: { increment: step.leftOut },
        updatedAt: new Date(),
      },
    });
    return count === 1;
  }

  async complete(tx: Tx, orgcode: string, rollupId: string, operationRunId: number): Promise<void> {
    await tx.kpiRollup.updateMany({
      where: { orgcode, rollupId },
      data: { status: 'completed', operationRunId, updatedAt: new Date() },
    });
  }
}
