import { Injectable } from '@nestjs/common';
import { ObjectStore } from '../platform/object-store/object-store.js';
import { log } from '../platform/telemetry/logger.js';
import { outputKey } from './bulk-files.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { BulkJobEnds } from './bulk-job-ends.service.js';
import type { BulkFailure } from './bulk.dto.js';
import { ImportReports } from './import-reports.service.js';
import { JobLost, type JobLease } from './job-lease.js';

/** The end of a job that cannot go on. */
@Injectable()
export class BulkJobFailures {
  constructor(
    private readonly ends: BulkJobEnds,
    private readonly reports: ImportReports,
    private readonly store: ObjectStore,
  ) {}

  /** What was refused until then is reported, where the store still takes it. */
  async fail(job: BulkJobRecord, lease: JobLease, failure: BulkFailure): Promise<void> {
    const reportKey = await this.reportOf(job, lease);
    await this.discardParts(job);
    await this.ends.end(job, lease, { status: 'failed', failure, ...(reportKey && { reportKey }) });
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
