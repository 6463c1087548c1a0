import { Injectable } from '@nestjs/common';
import type { BulkJob as BulkJobRecord } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import type { BulkFailure } from './bulk.dto.js';

/** What is left of jobs: uploads that were never committed, files that nobody fetches any more. */
@Injectable()
export class BulkUpkeepRepository {
  constructor(private readonly database: Database) {}

  awaitingSince(before: Date, atMost: number): Promise<BulkJobRecord[]> {
    return this.database.acrossOrganisations('bulk work', (tx) =>
      tx.bulkJob.findMany({
        where: { status: 'awaiting_upload', createdAt: { lt: before } },
        orderBy: { createdAt: 'asc' },
        take: atMost,
      }),
    );
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

  withFilesEndedBefore(before: Date, atMost: number): Promise<BulkJobRecord[]> {
    return this.database.acrossOrganisations('bulk work', (tx) =>
      tx.bulkJob.findMany({
        where: { endedAt: { lt: before }, filesDeletedAt: null },
        orderBy: { endedAt: 'asc' },
        take: atMost,
      }),
    );
  }

  async filesDeleted({ orgcode, jobId }: BulkJobRecord): Promise<void> {
    await this.database.transaction(orgcode, (tx) =>
      tx.bulkJob.updateMany({ where: { orgcode, jobId }, data: { filesDeletedAt: new Date() } }),
    );
  }

  /** Answers how many jobs that ended before then are forgotten. */
  forget(before: Date, atMost: number): Promise<number> {
    return this.database.acrossOrganisations(
      'bulk work',
      (tx) => tx.$executeRaw`
        delete from bulk_job where ctid = any(array(
          select ctid from bulk_job where ended_at < ${before} and files_deleted_at is not null limit ${atMost}))`,
    );
  }
}
