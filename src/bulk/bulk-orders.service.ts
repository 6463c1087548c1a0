import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Written } from '../audit/write.service.js';
import { OperationRuns } from '../operations/operation-runs.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import type { IdempotentWriteRequest } from '../platform/http/request.dto.js';
import { verifiedContext } from '../platform/http/verified-context.js';
import { BulkJobRepository, type BulkJobRecord, type NewBulkJob } from './bulk-job.repository.js';
import { BulkJobView } from './bulk-job-view.service.js';
import { MAX_OPEN_JOBS } from './bulk-limits.js';
import type { BulkJob, BulkJobData, JobType } from './bulk.dto.js';
import { bulkErrors } from './bulk.errors.js';

type Asked = 'jobId' | 'requestContext' | 'reason' | 'sourceRefs';

/** One that a worker takes as it is ordered, and one that waits for its upload. */
export type OrderedJob = Omit<NewBulkJob, Asked>;

/** What every order of a bulk job has in common. */
@Injectable()
export class BulkOrders {
  constructor(
    private readonly jobs: BulkJobRepository,
    private readonly runs: OperationRuns,
    private readonly view: BulkJobView,
  ) {}

  async insert(
    tx: Tx,
    caller: Caller,
    request: IdempotentWriteRequest,
    wantedId: string | undefined,
    job: OrderedJob,
  ): Promise<BulkJobRecord> {
    const { orgcode } = caller;
    const jobId = wantedId ?? `job_${randomBytes(9).toString('base64url')}`;
    if ((await this.jobs.countOpen(tx, orgcode)) >= MAX_OPEN_JOBS) throw new AppError(bulkErrors.tooMany);
    const record = await this.jobs.insert(tx, orgcode, {
      ...job,
      jobId,
      requestContext: verifiedContext(caller, request.request_context),
      reason: request.reason,
      sourceRefs: request.source_refs,
    });
    if (!record) throw new AppError(bulkErrors.exists);
    if (job.status !== 'queued') return record;
    // Only now: whoever has the id has its operation run too, and a second one of it would be an error of the database.
    return this.jobs.noteQueued(tx, orgcode, jobId, await this.queued(tx, caller, job.jobType, jobId));
  }

  /** What a job has from the moment when a worker may take it. */
  async queued(
    tx: Tx,
    { orgcode, actor }: Caller,
    jobType: string,
    jobId: string,
  ): Promise<{ queuedAt: Date; operationRunId: number }> {
    const what = { type: `bulk_${jobType}`, orgcode, subject: `${orgcode}/${jobId}`, initiator: actor };
    return { queuedAt: new Date(), operationRunId: await this.runs.queue(tx, what) };
  }

  /** The one that another goes on from; locked, so that it stays ended. */
  async ended(tx: Tx, orgcode: string, jobId: string, jobType: JobType): Promise<BulkJobRecord> {
    const record = await this.jobs.findForUpdate(tx, orgcode, jobId);
    if (!record) throw new AppError(bulkErrors.notFound);
    if (record.jobType !== jobType) throw new AppError(bulkErrors.otherType);
    if (record.endedAt === null) throw new AppError(bulkErrors.notEnded);
    return record;
  }

  written(record: BulkJobRecord, before?: BulkJob): Written<BulkJobData> {
    const job = this.view.of(record);
    return {
      data: { job },
      revision: job.revision,
      audit: { resource: { type: 'bulk_job', id: job.job_id }, ...(before && { before }), after: job },
    };
  }
}
