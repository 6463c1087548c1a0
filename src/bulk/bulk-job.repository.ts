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

export interface QueuedImport {
  inputKey: string;
  inputBytes: bigint;
  operationRunId: number;
  queuedAt: Date;
}

export interface JobPlace {
  createdAt: Date;
  jobId: string;
}

export interface JobFilters {
  status?: string | undefined;
  jobType?: string | undefined;
}

const SHOWN_COLUMNS = {
  orgcode: 'orgcode',
  jobId: 'job_id',
  jobType: 'job_type',
  status: 'status',
  contentType: 'content_type',
  continues: 'continues',
  inputKey: 'input_key',
  inputBytes: 'input_bytes',
  resumeFromLine: 'resume_from_line',
  readBytes: 'read_bytes',
  lineCount: 'line_count',
  processedCount: 'processed_count',
  errorCount: 'error_count',
  skippedLines: 'skipped_lines',
  reportKey: 'report_key',
  service: 'service',
  fromUtc: 'from_utc',
  toUtc: 'to_utc',
  maxRecords: 'max_records',
  startPosition: 'start_position',
  endPosition: 'end_position',
  position: 'position',
  recordCount: 'record_count',
  outputKey: 'output_key',
  outputBytes: 'output_bytes',
  failureTag: 'failure_tag',
  failureMessage: 'failure_message',
  operationRunId: 'operation_run_id',
  startedAt: 'started_at',
  filesDeletedAt: 'files_deleted_at',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  revision: 'revision',
} satisfies Record<keyof ShownBulkJob, string>;

const COLUMNS: Record<keyof BulkJobRecord, string> = {
  ...SHOWN_COLUMNS,
  prefix: 'prefix',
  requestContext: 'request_context',
  reason: 'reason',
  sourceRefs: 'source_refs',
  pins: 'pins',
  uploadId: 'upload_id',
  parts: 'parts',
  fence: 'fence',
  claims: 'claims',
  leaseUntil: 'lease_until',
  queuedAt: 'queued_at',
  endedAt: 'ended_at',
};

function selected(columns: Record<string, string>): Prisma.Sql {
  return Prisma.raw(
    Object.entries(columns)
      .map(([field, column]) => `${column} as "${field}"`)
      .join(', '),
  );
}

const SHOWN = selected(SHOWN_COLUMNS);
const ALL = selected(COLUMNS);

const JSON_FIELDS = ['requestContext', 'sourceRefs'];
const OPEN = ['awaiting_upload', 'queued', 'running'];

/** Jobs as callers order and see them. */
@Injectable()
export class BulkJobRepository {
  constructor(private readonly database: Database) {}

  async countOpen(tx: Tx, orgcode: string): Promise<number> {
    const [row] = await tx.$queryRaw<[{ open: number }]>`
      select count(*)::int as open from bulk_job where orgcode = ${orgcode} and status = any(${OPEN})`;
    return row.open;
  }

  /** Undefined where the organisation has one of that id. Of what is left out the table knows the default. */
  async insert(tx: Tx, orgcode: string, job: NewBulkJob): Promise<BulkJobRecord | undefined> {
    const given = Object.entries({ ...job, orgcode }).filter(([, value]) => value !== undefined);
    const columns = given.map(([field]) => Prisma.raw(COLUMNS[field as keyof BulkJobRecord]));
    const values = given.map(([field, value]) =>
      JSON_FIELDS.includes(field) ? Prisma.sql`${JSON.stringify(value)}::jsonb` : value,
    );
    const [inserted] = await tx.$queryRaw<BulkJobRecord[]>`
      insert into bulk_job (${Prisma.join(columns)}) values (${Prisma.join(values)}) on conflict do nothing returning ${ALL}`;
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

  find(db: Db, orgcode: string, jobId: string): Promise<BulkJobRecord | undefined> {
    return this.findWith(db, orgcode, jobId, Prisma.empty);
  }

  /** Locked, so that of two who change it one sees the other's revision. */
  findForUpdate(tx: Tx, orgcode: string, jobId: string): Promise<BulkJobRecord | undefined> {
    return this.findWith(tx, orgcode, jobId, Prisma.sql`for update`);
  }

  /** Of one that was inserted a moment ago. */
  async noteQueued(
    tx: Tx,
    orgcode: string,
    jobId: string,
    { operationRunId, queuedAt }: { operationRunId: number; queuedAt: Date },
  ): Promise<BulkJobRecord> {
    const [job] = await tx.$queryRaw<[BulkJobRecord]>`
      update bulk_job set operation_run_id = ${operationRunId}, queued_at = ${queuedAt}
      where orgcode = ${orgcode} and job_id = ${jobId} returning ${ALL}`;
    return job;
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
  async queue(
    tx: Tx,
    orgcode: string,
    jobId: string,
    { inputKey, inputBytes, operationRunId, queuedAt }: QueuedImport,
  ): Promise<BulkJobRecord> {
    const [job] = await tx.$queryRaw<[BulkJobRecord]>`
      update bulk_job set input_key = ${inputKey}, input_bytes = ${inputBytes}, operation_run_id = ${operationRunId}, queued_at = ${queuedAt},
        status = 'queued', updated_at = clock_timestamp(), revision = revision + 1
      where orgcode = ${orgcode} and job_id = ${jobId} returning ${ALL}`;
    return job;
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

  private async findWith(db: Db, orgcode: string, jobId: string, lock: Prisma.Sql): Promise<BulkJobRecord | undefined> {
    const [job] = await db.$queryRaw<BulkJobRecord[]>`
      select ${ALL} from bulk_job where orgcode = ${orgcode} and job_id = ${jobId} ${lock}`;
    return job;
  }
}
