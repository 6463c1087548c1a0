import type { OperationRuns } from '../operations/operation-runs.service.js';
import { log } from '../platform/telemetry/logger.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import type { BulkWorkRepository, ClaimedJob } from './bulk-work.repository.js';
import { countsOf } from './job-counts.js';

/** Another worker has taken the job, because this one was silent for too long: nothing that it does counts any more. */
export class JobLost extends Error {
  constructor({ orgcode, jobId }: ClaimedJob) {
    super(`the bulk job ${orgcode}/${jobId} is another worker's by now`);
  }
}

/** Says that the worker lives, while it is at a job, and beats for the operation run of the job. */
export class JobLease {
  private readonly timer: NodeJS.Timeout;
  private isLost = false;

  constructor(
    readonly job: ClaimedJob,
    private readonly jobs: BulkWorkRepository,
    private readonly runs: OperationRuns,
    leaseSeconds: number,
  ) {
    this.timer = setInterval(() => void this.extend(), (leaseSeconds * 1_000) / 4);
  }

  assertOurs(isOurs = !this.isLost): void {
    if (!isOurs) throw new JobLost(this.job);
  }

  /** The job as it stands, with its operation run begun; throws JobLost where it is another's, or nobody's any more. */
  async take(): Promise<BulkJobRecord> {
    const job = await this.jobs.read(this.job);
    if (!job) throw new JobLost(this.job);
    await this.runs.begin(job.operationRunId ?? 0);
    return job;
  }

  /** For another worker, which goes on from the checkpoint. */
  giveBack(): Promise<void> {
    return this.jobs.giveBack(this.job);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private async extend(): Promise<void> {
    try {
      this.isLost ||= !(await this.jobs.extend(this.job));
      if (this.isLost) return;
      const job = await this.jobs.read(this.job);
      if (job) await this.runs.beat(job.operationRunId ?? 0, countsOf(job));
    } catch (error) {
      log.warn(
        { err: error, job_id: this.job.jobId },
        'the lease of a bulk job could not be extended; it is tried again',
      );
    }
  }
}
