import { Injectable } from '@nestjs/common';
import type { BulkJob as BulkJobRecord } from '../generated/prisma/client.js';
import type { Db, SystemTx, Tx } from '../platform/database/transaction.js';
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

  /** Of jobs that ended while the store took no report. */
  owingReports(tx: SystemTx, atMost: number): Promise<BulkJobRecord[]> {
    return tx.bulkJob.findMany({
      where: { endedAt: { not: null }, filesDeletedAt: null, errors: { some: {} } },
      orderBy: { endedAt: 'asc' },
      take: atMost,
    });
  }

  /** By line; none where the report is written by now. */
  async linesOwed(db: Db, { orgcode, jobId }: BulkJobRecord): Promise<object[]> {
    const rows = await db.bulkError.findMany({ where: { orgcode, jobId }, orderBy: { line: 'asc' } });
    return rows.map(({ entry }) => entry as object);
  }

  async reportWritten(tx: Tx, { orgcode, jobId }: BulkJobRecord, reportKey: string): Promise<void> {
    const { count } = await tx.bulkError.deleteMany({ where: { orgcode, jobId } });
    if (count === 0) return;
    await tx.bulkJob.updateMany({
      where: { orgcode, jobId },
      data: { reportKey, updatedAt: new Date(), revision: { increment: 1 } },
    });
  }

  withFilesEndedBefore(tx: SystemTx, before: Date, atMost: number): Promise<BulkJobRecord[]> {
    return tx.bulkJob.findMany({
      where: { endedAt: { lt: before }, filesDeletedAt: null },
      orderBy: { endedAt: 'asc' },
      take: atMost,
    });
  }

  /**
   * The job that reads an upload longest, of those that went on from each other: it takes the upload with it. Told by their ends and not
   * by what is deleted already, because two of them may be cleared at once.
   */
  async lastReader(db: Db, { orgcode, inputKey }: BulkJobRecord): Promise<string | undefined> {
    const [last] = await db.bulkJob.findMany({
      where: { orgcode, inputKey, filesDeletedAt: null },
      orderBy: [{ endedAt: { sort: 'desc', nulls: 'first' } }, { jobId: 'desc' }],
      take: 1,
    });
    return last?.jobId;
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
