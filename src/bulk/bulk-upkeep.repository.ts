import { Injectable } from '@nestjs/common';
import type { BulkJob as BulkJobRecord } from '../generated/prisma/client.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';
import type { BulkFailure } from './bulk.dto.js';

/** What is left of jobs: uploads that were never committed, files that nobody fetches any more. */
@Injectable()
export class BulkUpkeepRepository {
  awaitingSince(tx: SystemTx, before: Date, atMost: number): Promise<BulkJobRecord[]> {
    return tx.bulkJob.findMany({
      where: { status: 'awaiting_upload', createdAt: { lt: before } },
      orderBy: { createdAt: 'asc' },
      take: atMost,
    });
  }

  /** Undefined where it was committed in the meantime. */
  async expire(tx: Tx, { orgcode, jobId }: BulkJobRecord, failure: BulkFailure): Promise<BulkJobRecord | undefined> {
    const now = new Date();
    const { count } = await tx.bulkJob.updateMany({
      where: { orgcode, jobId, status: 'awaiting_upload' },
      data: {
        status: 'failed',
        failureTag: failure.error_tag,
        failureMessage: failure.message,
        endedAt: now,
        updatedAt: now,
        revision: { increment: 1 },
      },
    });
    if (count === 0) return undefined;
    return (await tx.bulkJob.findUnique({ where: { orgcode_jobId: { orgcode, jobId } } })) ?? undefined;
  }

  withFilesEndedBefore(tx: SystemTx, before: Date, atMost: number): Promise<BulkJobRecord[]> {
    return tx.bulkJob.findMany({
      where: { endedAt: { lt: before }, filesDeletedAt: null },
      orderBy: { endedAt: 'asc' },
      take: atMost,
    });
  }

  async filesDeleted(tx: Tx, { orgcode, jobId }: BulkJobRecord): Promise<void> {
    await tx.bulkJob.updateMany({ where: { orgcode, jobId }, data: { filesDeletedAt: new Date() } });
  }

  /** Answers how many jobs that ended before then are forgotten. */
  forget(tx: SystemTx, before: Date, atMost: number): Promise<number> {
    return tx.$executeRaw`
      delete from bulk_job where ctid = any(array(
        select ctid from bulk_job where ended_at < ${before} and files_deleted_at is not null limit ${atMost}))`;
  }
}
