import { Injectable } from '@nestjs/common';
import type { BulkJobRecord } from './bulk-job.repository.js';
import type { JobEnd } from './bulk-work.repository.js';
import { bulkFailures } from './bulk.errors.js';
import { ExportRun } from './export-run.service.js';
import { ImportRun } from './import-run.service.js';
import { JobFailure } from './job-failure.js';
import type { JobLease } from './job-lease.js';

/** Workers that died on a job without a step in between. */
const MAX_CLAIMS = 10;

/** What a job is about. */
@Injectable()
export class BulkWork {
  constructor(
    private readonly imports: ImportRun,
    private readonly exports: ExportRun,
  ) {}

  /** How it ended; undefined where the process stops before. */
  on(job: BulkJobRecord, lease: JobLease): Promise<JobEnd | undefined> {
    if (job.claims > MAX_CLAIMS) throw new JobFailure(bulkFailures.broken);
    return job.jobType === 'import' ? this.imports.work(job, lease) : this.exports.work(job, lease);
  }
}
