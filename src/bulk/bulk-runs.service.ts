import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { EventsExpired } from '../cdc/log-export.service.js';
import { OperationRuns } from '../operations/operation-runs.service.js';
import { ObjectStoreUnavailable, UploadGone } from '../platform/object-store/object-store-failures.js';
import { AppError } from '../platform/errors/app-error.js';
import { log } from '../platform/telemetry/logger.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { BulkJobEnds } from './bulk-job-ends.service.js';
import { BulkJobFailures } from './bulk-job-failures.service.js';
import { BulkWorkRepository, type ClaimedJob, type JobEnd } from './bulk-work.repository.js';
import type { BulkFailure } from './bulk.dto.js';
import { bulkFailures } from './bulk.errors.js';
import { ExportRun } from './export-run.service.js';
import { ImportRun } from './import-run.service.js';
import { countsOf } from './job-counts.js';
import { JobFailure } from './job-failure.js';
import { JobLease, JobLost } from './job-lease.js';

/** A store that is away for longer ends its jobs; `continue` takes them up. */
const STORE_PATIENCE_MS = 10 * 60_000;
const LONGEST_WAIT_MS = 30_000;
/** Workers that died on a job without a step in between, and errors that nobody has foreseen. */
const MAX_CLAIMS = 10;
const MAX_ERRORS = 3;

/** One job from its claim to its end, or to where this worker leaves it. */
@Injectable()
export class BulkRuns {
  constructor(
    private readonly jobs: BulkWorkRepository,
    private readonly imports: ImportRun,
    private readonly exports: ExportRun,
    private readonly ends: BulkJobEnds,
    private readonly failures: BulkJobFailures,
    private readonly runs: OperationRuns,
  ) {}

  async run(claimed: ClaimedJob): Promise<void> {
    const lease = new JobLease(claimed, this.jobs, () => this.beat(claimed));
    try {
      const job = await this.read(lease);
      await this.runs.begin(job.operationRunId ?? 0);
      await this.workPatiently(lease);
    } catch (error) {
      if (!(error instanceof JobLost)) throw error;
      log.warn({ err: error }, 'a bulk job was taken over');
    } finally {
      lease.end();
    }
  }

  private async workPatiently(lease: JobLease): Promise<void> {
    const setbacks = new Setbacks();
    for (;;) {
      const job = await this.read(lease);
      try {
        const done = await this.work(job, lease);
        if (done) await this.ends.end(job, lease, done);
        else await this.jobs.giveBack(lease.job);
        return;
      } catch (error) {
        const failure = setbacks.failureAfter(error, stepsOf(job));
        if (failure) {
          log.warn({ err: error, orgcode: job.orgcode, job_id: job.jobId }, 'a bulk job failed');
          await this.failures.fail(await this.read(lease), lease, failure);
          return;
        }
        log.warn({ err: error, job_id: job.jobId, wait_ms: setbacks.waitMs }, 'a bulk job waits and goes on');
        await sleep(setbacks.waitMs);
      }
    }
  }

  private work(job: BulkJobRecord, lease: JobLease): Promise<JobEnd | undefined> {
    if (job.claims > MAX_CLAIMS) throw new JobFailure(bulkFailures.broken);
    return job.jobType === 'import' ? this.imports.work(job, lease) : this.exports.work(job, lease);
  }

  private async read(lease: JobLease): Promise<BulkJobRecord> {
    const job = await this.jobs.read(lease.job);
    if (!job) throw new JobLost(lease.job);
    return job;
  }

  private async beat(claimed: ClaimedJob): Promise<void> {
    const job = await this.jobs.read(claimed);
    if (job) await this.runs.beat(job.operationRunId ?? 0, countsOf(job));
  }
}

/** What went wrong since the job last came a step further. */
class Setbacks {
  private steps = -1n;
  private sinceMs = 0;
  private waits = 0;
  private errors = 0;

  get waitMs(): number {
    return Math.min(500 * 2 ** Math.min(this.waits, 10), LONGEST_WAIT_MS);
  }

  /** Why the job ends; undefined where it is tried again. Throws what another worker can do something about. */
  failureAfter(error: unknown, steps: bigint): BulkFailure | undefined {
    if (error instanceof JobFailure) return error.failure;
    if (error instanceof EventsExpired) return bulkFailures.eventsExpired;
    const isStore = error instanceof ObjectStoreUnavailable;
    if (error instanceof JobLost || (error instanceof AppError && !isStore)) throw error; // the lease, or the database
    if (steps !== this.steps) Object.assign(this, { steps, sinceMs: Date.now(), waits: 0, errors: 0 });
    this.waits += 1;
    if (isStore) return Date.now() - this.sinceMs > STORE_PATIENCE_MS ? bulkFailures.storeUnavailable : undefined;
    if (!(error instanceof UploadGone)) this.errors += 1;
    return this.errors >= MAX_ERRORS ? bulkFailures.broken : undefined;
  }
}

function stepsOf({ lineCount, position }: BulkJobRecord): bigint {
  return lineCount + (position ?? 0n);
}
