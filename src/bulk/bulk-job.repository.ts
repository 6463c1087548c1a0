import { Injectable } from '@nestjs/common';
import { Prisma, type BulkJob as BulkJobRecord } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { Db, Tx } from '../platform/database/transaction.js';

export type { BulkJobRecord };

/** What only workers, and who orders, need to know: the parts of an upload may be many. */
type Inner =
  | 'prefix'
  | 'requestContext'
  | 'reason'
  | 'sourceRefs'
  | 'pins'
  | 'uploadId'
  | 'parts'
  | 'fence'
  | 'claims'
  | 'leaseUntil'
  | 'queuedAt'
  | 'endedAt';

export type ShownBulkJob = Omit<BulkJobRecord, Inner>;

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

const SHOWN = Prisma.sql`orgcode, job_id as "jobId", job_type as "jobType", status, content_type as "contentType", continues,
  input_key as "inputKey", input_bytes as "inputBytes", resume_from_line as "resumeFromLine", read_bytes as "readBytes",
  line_count as "lineCount", processed_count as "processedCount", error_count as "errorCount", skipped_lines as "skippedLines",
  report_key as "reportKey", service, from_utc as "fromUtc", to_utc as "toUtc", max_records as "maxRecords",
  start_position as "startPosition", end_position as "endPosition", position, record_count as "recordCount", output_key as "outputKey",
  output_bytes as "outputBytes", failure_tag as "failureTag", failure_message as "failureMessage", operation_run_id as "operationRunId",
  started_at as "startedAt", files_deleted_at as "filesDeletedAt", created_at as "createdAt", updated_at as "updatedAt", revision`;

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
    const [inserted] = await tx.bulkJob.createManyAndReturn({
      data: {
        ...rest,
        orgcode,
        requestContext: requestContext as Prisma.InputJsonValue,
        sourceRefs: sourceRefs as Prisma.InputJsonValue,
      },
      skipDuplicates: true,
    });
    return inserted;
  }

  /** As one may see it, in a read of its own. */
  async read(orgcode: string, jobId: string): Promise<ShownBulkJob | undefined> {
    const [job] = await this.database.rows<ShownBulkJob>(
      orgcode,
      Prisma.sql`select ${SHOWN} from bulk_job where orgcode = ${orgcode} and job_id = ${jobId}`,
    );
    return job;
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
  ): Promise<ShownBulkJob[]> {
    const ofStatus = status === undefined ? Prisma.empty : Prisma.sql`and status = ${status}`;
    const ofType = jobType === undefined ? Prisma.empty : Prisma.sql`and job_type = ${jobType}`;
    const afterPlace = after
      ? Prisma.sql`and (created_at, job_id) < (${after.createdAt}, ${after.jobId})`
      : Prisma.empty;
    return this.database.rows<ShownBulkJob>(
      orgcode,
      Prisma.sql`
        select ${SHOWN} from bulk_job where orgcode = ${orgcode} ${ofStatus} ${ofType} ${afterPlace}
        order by created_at desc, job_id desc limit ${limit}`,
    );
  }
}
