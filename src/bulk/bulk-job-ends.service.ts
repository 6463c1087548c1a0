import { Injectable } from '@nestjs/common';
import { EventHolds } from '../cdc/event-holds.service.js';
import { OwnEvents } from '../cdc/own-events.service.js';
import { OperationRuns, type OperationResult } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { exportHolder } from './bulk-files.js';
import { bulkJobLifecycle, type BulkJobStatus } from './bulk-job-lifecycle.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { bulkJobEvent } from './bulk-own-events.js';
import { BulkWorkRepository, type JobEnd } from './bulk-work.repository.js';
import { countsOf } from './job-counts.js';
import { JobLost, type JobLease } from './job-lease.js';

/** The end of a job, of its operation run and of its hold on the log, and the event that tells of it: one transaction. */
@Injectable()
export class BulkJobEnds {
  constructor(
    private readonly database: Database,
    private readonly jobs: BulkWorkRepository,
    private readonly holds: EventHolds,
    private readonly runs: OperationRuns,
    private readonly ownEvents: OwnEvents,
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
}

/** How the operation run of a job ends. */
export function resultOf(job: BulkJobRecord): OperationResult {
  const { status, errorCount, failureTag, failureMessage } = job;
  const counts = countsOf(job);
  const message = failureMessage ?? '';
  if (status === 'failed')
    return { outcome: 'failed', counts, message, failures: [{ code: failureTag ?? '', message }] };
  if (errorCount === 0n) return { outcome: 'succeeded', counts, message: 'All of it was done.' };
  const refused = { code: 'lines_refused', message: `${errorCount} lines were refused; the report names them.` };
  return { outcome: 'partially_succeeded', counts, message: refused.message, failures: [refused] };
}
