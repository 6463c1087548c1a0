import { Injectable } from '@nestjs/common';
import { EventHoldRepository } from '../cdc/event-hold.repository.js';
import { OwnEvents } from '../cdc/own-events.service.js';
import { OperationRuns, type OperationResult } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { log } from '../platform/telemetry/logger.js';
import { exportHolder, outputKey } from './bulk-files.js';
import { bulkJobLifecycle, type BulkJobStatus } from './bulk-job-lifecycle.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { bulkJobEvent } from './bulk-own-events.js';
import { BulkWorkRepository, type JobEnd } from './bulk-work.repository.js';
import type { BulkFailure } from './bulk.dto.js';
import { ImportReports } from './import-reports.service.js';
import { countsOf } from './job-counts.js';
import { JobLost, type JobLease } from './job-lease.js';

/** The end of a job, of its operation run and of its hold on the log, and the event that tells of it: one transaction. */
@Injectable()
export class BulkJobEnds {
  constructor(
    private readonly database: Database,
    private readonly jobs: BulkWorkRepository,
    private readonly holds: EventHoldRepository,
    private readonly runs: OperationRuns,
    private readonly ownEvents: OwnEvents,
    private readonly reports: ImportReports,
    private readonly store: ObjectStore,
  ) {}

  async end(job: BulkJobRecord, lease: JobLease, end: JobEnd): Promise<void> {
    const { orgcode, operationRunId } = job;
    bulkJobLifecycle.assertStep(job.status as BulkJobStatus, end.status);
    await this.database.transaction(orgcode, async (tx) => {
      const ended = await this.jobs.end(tx, lease.job, end);
      if (!ended) throw new JobLost(lease.job);
      await this.holds.release(tx, orgcode, exportHolder(job.jobId));
      await this.runs.end(tx, operationRunId ?? 0, resultOf(ended));
      await this.ownEvents.appendUnasked(tx, orgcode, job.reason, [bulkJobEvent(ended)]);
    });
    this.ownEvents.announce(orgcode);
  }

  /** What was refused until then is reported, where the store still takes it. */
  async fail(job: BulkJobRecord, lease: JobLease, failure: BulkFailure): Promise<void> {
    const reportKey = await this.reportOf(job, lease);
    await this.discardParts(job);
    await this.end(job, lease, { status: 'failed', failure, ...(reportKey && { reportKey }) });
  }

  private async reportOf(job: BulkJobRecord, lease: JobLease): Promise<string | undefined> {
    if (job.errorCount === 0n) return undefined;
    try {
      return await this.reports.write(job, lease.job, Number(job.errorCount));
    } catch (error) {
      if (error instanceof JobLost) throw error;
      log.warn(
        { err: error, job_id: job.jobId },
        'the report of a failed import could not be written; it comes when the store is back',
      );
      return undefined;
    }
  }

  private async discardParts({ jobType, prefix, contentType, jobId }: BulkJobRecord): Promise<void> {
    if (jobType !== 'export') return;
    try {
      await this.store.discardParts(outputKey(prefix, contentType));
    } catch (error) {
      log.warn({ err: error, job_id: jobId }, 'parts of a failed export are left over; they go with the job');
    }
  }
}

function resultOf(job: BulkJobRecord): OperationResult {
  const { status, errorCount, failureMessage } = job;
  const counts = countsOf(job);
  if (status === 'failed') return { outcome: 'failed', counts, message: failureMessage ?? '' };
  return errorCount === 0n
    ? { outcome: 'succeeded', counts, message: 'All of it was done.' }
    : { outcome: 'partially_succeeded', counts, message: `${errorCount} lines were refused; the report names them.` };
}
