import { Injectable } from '@nestjs/common';
import { Prisma, type BulkJob as BulkJobRecord } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Db, Tx } from '../platform/database/transaction.js';

export type { BulkJobRecord };

type Kept = 'orgcode' | 'jobId' | 'jobType' | 'status' | 'contentType' | 'prefix' | 'reason';

/** A job that is ordered: what is left out has its default. */
export type NewBulkJob = Pick<BulkJobRecord, Exclude<Kept, 'orgcode'>> &
  Partial<Omit<BulkJobRecord, Kept | 'requestContext' | 'sourceRefs' | 'parts'>> & {
    requestContext: object;
    sourceRefs: object;
  };

export interface JobPlace {
  createdAt: Date;
  jobId: string;
}

export interface JobFilters {
  status?: string | undefined;
  jobType?: string | undefined;
}

const OPEN = ['awaiting_upload', 'queued', 'running'];

/** Jobs as callers order and see them. */
@Injectable()
export class BulkJobRepository {
  constructor(private readonly database: Database) {}

  countOpen(tx: Tx, orgcode: string): Promise<number> {
    return tx.bulkJob.count({ where: { orgcode, status: { in: OPEN } } });
  }

  /** Undefined where the organisation has one of that id. */
  async insert(tx: Tx, orgcode: string, job: NewBulkJob): Promise<BulkJobRecord | undefined> {
    const { requestContext, sourceRefs, ...rest } = job;
    const { count } = await tx.bulkJob.createMany({
      data: {
        ...rest,
        orgcode,
        requestContext: requestContext as Prisma.InputJsonValue,
        sourceRefs: sourceRefs as Prisma.InputJsonValue,
      },
      skipDuplicates: true,
    });
    return count === 0 ? undefined : ((await this.find(tx, orgcode, job.jobId)) ?? undefined);
  }

  find(db: Db, orgcode: string, jobId: string): Promise<BulkJobRecord | null> {
    return db.bulkJob.findUnique({ where: { orgcode_jobId: { orgcode, jobId } } });
  }

  /** Locked, so that of two who change it one sees the other's revision. */
  async findForUpdate(tx: Tx, orgcode: string, jobId: string): Promise<BulkJobRecord | null> {
    await tx.$queryRaw`select 1 from bulk_job where orgcode = ${orgcode} and job_id = ${jobId} for update`;
    return this.find(tx, orgcode, jobId);
  }

  /** Of one that was inserted a moment ago. */
  noteQueued(
    tx: Tx,
    orgcode: string,
    jobId: string,
    queued: { operationRunId: number; queuedAt: Date },
  ): Promise<BulkJobRecord> {
    return tx.bulkJob.update({ where: { orgcode_jobId: { orgcode, jobId } }, data: queued });
  }

  /** Before the copy is made, so that it is found when its maker dies over it. */
  async notePin(tx: Tx, orgcode: string, jobId: string, key: string): Promise<void> {
    await tx.$executeRaw`
      update bulk_job set pins = array_append(pins, ${key}) where orgcode = ${orgcode} and job_id = ${jobId}`;
  }

  async forgetPin(tx: Tx, orgcode: string, jobId: string, key: string): Promise<void> {
    await tx.$executeRaw`
      update bulk_job set pins = array_remove(pins, ${key}) where orgcode = ${orgcode} and job_id = ${jobId}`;
  }

  /** The row must be locked and its revision compared. */
  queue(
    tx: Tx,
    orgcode: string,
    jobId: string,
    queued: { inputKey: string; inputBytes: bigint; operationRunId: number; queuedAt: Date },
  ): Promise<BulkJobRecord> {
    return tx.bulkJob.update({
      where: { orgcode_jobId: { orgcode, jobId } },
      data: { ...queued, status: 'queued', updatedAt: new Date(), revision: { increment: 1 } },
    });
  }

  /** Newest first. */
  page(
    orgcode: string,
    { status, jobType }: JobFilters,
    after: JobPlace | undefined,
    limit: number,
  ): Promise<BulkJobRecord[]> {
    return this.database.read(orgcode, (db) =>
      db.bulkJob.findMany({
        where: {
          orgcode,
          ...(status === undefined ? {} : { status }),
          ...(jobType === undefined ? {} : { jobType }),
          ...(after && {
            OR: [{ createdAt: { lt: after.createdAt } }, { createdAt: after.createdAt, jobId: { lt: after.jobId } }],
          }),
        },
        orderBy: [{ createdAt: 'desc' }, { jobId: 'desc' }],
        take: limit,
      }),
    );
  }
}
