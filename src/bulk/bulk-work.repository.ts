import { Injectable } from '@nestjs/common';
import type { BulkJob as BulkJobRecord } from '../generated/prisma/client.js';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import type { PartTag } from '../platform/object-store/object-parts.js';
import type { BulkFailure } from './bulk.dto.js';

/** A job that is this worker's as long as nobody has a newer fence. */
export interface ClaimedJob {
  orgcode: string;
  jobId: string;
  fence: bigint;
}

/** How far the file of an export is: its parts hold everything up to the position. */
export interface ExportCheckpoint {
  position: bigint;
  recordCount: bigint;
  uploadId: string;
  parts: readonly PartTag[];
}

export interface JobEnd {
  status: 'completed' | 'failed';
  failure?: BulkFailure;
  reportKey?: string;
  output?: { outputKey: string; outputBytes: bigint; position: bigint; recordCount: bigint };
}

/** Jobs as workers take them, get on with them and end them. Everything but taking asks for the fence. */
@Injectable()
export class BulkWorkRepository {
  constructor(
    private readonly database: Database,
    private readonly configuration: Configuration,
  ) {}

  claim(atMost: number, ofAnOrganisation: number): Promise<ClaimedJob[]> {
    return this.database.callAcross('bulk work', {
      name: 'bulk claim',
      call: 'ipm_claim_bulk_jobs($1, $2, make_interval(secs => $3))',
      values: [atMost, ofAnOrganisation, this.configuration.bulk.leaseSeconds],
    });
  }

  async standing(): Promise<{ queued: number; running: number; oldestSeconds: number }> {
    const [row] = await this.database.plainAcross('bulk work', (tx) =>
      tx.rows<{ queued: number; running: number; oldestSeconds: number }>(
        'bulk jobs standing',
        `select count(*) filter (where status = 'queued')::int as queued, count(*) filter (where status = 'running')::int as running,
           coalesce(extract(epoch from clock_timestamp() - min(queued_at) filter (where status = 'queued')), 0)::float8 as "oldestSeconds"
         from bulk_job where status in ('queued', 'running')`,
        [],
      ),
    );
    if (!row) throw new Error('the jobs said nothing');
    return row;
  }

  read({ orgcode, jobId, fence }: ClaimedJob): Promise<BulkJobRecord | null> {
    return this.database.read(orgcode, (db) =>
      db.bulkJob.findFirst({ where: { orgcode, jobId, fence, status: 'running' } }),
    );
  }

  /** Answers whether the job is still the caller's. */
  async extend({ orgcode, jobId, fence }: ClaimedJob): Promise<boolean> {
    const extended = await this.database.transaction(
      orgcode,
      (tx) => tx.$executeRaw`
        update bulk_job set lease_until = clock_timestamp() + make_interval(secs => ${this.configuration.bulk.leaseSeconds})
        where orgcode = ${orgcode} and job_id = ${jobId} and fence = ${fence} and status = 'running'`,
    );
    return extended === 1;
  }

  /** For another worker, at once and in its old place. */
  async giveBack({ orgcode, jobId, fence }: ClaimedJob): Promise<void> {
    await this.database.transaction(orgcode, (tx) =>
      tx.bulkJob.updateMany({
        where: { orgcode, jobId, fence, status: 'running' },
        data: { status: 'queued', leaseUntil: null, claims: 0, updatedAt: new Date() },
      }),
    );
  }

  async keepExport({ orgcode, jobId, fence }: ClaimedJob, checkpoint: ExportCheckpoint): Promise<boolean> {
    const { parts, ...rest } = checkpoint;
    const { count } = await this.database.transaction(orgcode, (tx) =>
      tx.bulkJob.updateMany({
        where: { orgcode, jobId, fence, status: 'running' },
        data: { ...rest, parts: parts.map((part) => ({ ...part })), claims: 0, updatedAt: new Date() },
      }),
    );
    return count === 1;
  }

  /** Undefined where the job is another's by now. */
  async end(
    tx: Tx,
    { orgcode, jobId, fence }: ClaimedJob,
    { status, failure, reportKey, output }: JobEnd,
  ): Promise<BulkJobRecord | undefined> {
    const now = new Date();
    const { count } = await tx.bulkJob.updateMany({
      where: { orgcode, jobId, fence, status: 'running' },
      data: {
        status,
        ...(failure && { failureTag: failure.error_tag, failureMessage: failure.message }),
        ...(reportKey !== undefined && { reportKey }),
        ...output,
        leaseUntil: null,
        endedAt: now,
        updatedAt: now,
        revision: { increment: 1 },
      },
    });
    if (count === 0) return undefined;
    // The report has them; without one they stay until the store takes it (LateReports).
    if (status === 'completed' || reportKey !== undefined) await tx.bulkError.deleteMany({ where: { orgcode, jobId } });
    return (await tx.bulkJob.findUnique({ where: { orgcode_jobId: { orgcode, jobId } } })) ?? undefined;
  }
}
