import { log } from '../platform/telemetry/logger.js';
import { JOB_LEASE_SECONDS } from './bulk-limits.js';
import type { BulkWorkRepository, ClaimedJob } from './bulk-work.repository.js';

/** Another worker has taken the job, because this one was silent for too long: nothing that it does counts any more. */
export class JobLost extends Error {
  constructor({ orgcode, jobId }: ClaimedJob) {
    super(`the bulk job ${orgcode}/${jobId} is another worker's by now`);
  }
}

/** Says that the worker lives, while it is at a job. */
export class JobLease {
  private readonly timer: NodeJS.Timeout;
  private isLost = false;

  constructor(
    readonly job: ClaimedJob,
    private readonly jobs: BulkWorkRepository,
    private readonly onExtended: () => Promise<void>,
  ) {
    this.timer = setInterval(() => void this.extend(), (JOB_LEASE_SECONDS * 1_000) / 4);
  }

  assertOurs(isOurs = !this.isLost): void {
    if (!isOurs) throw new JobLost(this.job);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private async extend(): Promise<void> {
    try {
      this.isLost ||= !(await this.jobs.extend(this.job));
      if (!this.isLost) await this.onExtended();
    } catch (error) {
      log.warn(
        { err: error, job_id: this.job.jobId },
        'the lease of a bulk job could not be extended; it is tried again',
      );
    }
  }
}
