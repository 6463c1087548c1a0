import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { BulkJobEnds } from './bulk-job-ends.service.js';
import { BulkJobFailures } from './bulk-job-failures.service.js';
import type { ClaimedJob } from './bulk-work.repository.js';
import { BulkWork } from './bulk-work.service.js';
import type { BulkFailure } from './bulk.dto.js';
import { JobLost, type JobLease } from './job-lease.js';
import { JobLeases } from './job-leases.service.js';
import { Setbacks } from './setbacks.js';

/** One job from its claim to its end, or to where this worker leaves it. */
@Injectable()
export class BulkRuns {
  constructor(
    private readonly work: BulkWork,
    private readonly ends: BulkJobEnds,
    private readonly failures: BulkJobFailures,
    private readonly leases: JobLeases,
    private readonly configuration: Configuration,
    private readonly stop: GracefulStop,
  ) {}

  async run(claimed: ClaimedJob): Promise<void> {
    const lease = this.leases.on(claimed);
    try {
      await this.workPatiently(lease);
    } catch (error) {
      if (!(error instanceof JobLost)) throw error;
      log.warn({ err: error }, 'a bulk job was taken over');
    } finally {
      lease.end();
    }
  }

  private async workPatiently(lease: JobLease): Promise<void> {
    const setbacks = new Setbacks(this.configuration.bulk.storePatienceSeconds * 1_000);
    const { orgcode, jobId } = lease.job;
    let failure: BulkFailure | undefined;
    for (;;) {
      const isLastTime = this.stop.isStopping;
      try {
        await this.workOnce(lease, setbacks, failure);
        return;
      } catch (error) {
        if (error instanceof JobLost || isLastTime) throw error;
        failure ??= setbacks.failureAfter(error, Date.now());
        const text = failure ? 'a bulk job fails' : 'a bulk job waits and goes on';
        log.warn({ err: error, orgcode, job_id: jobId, wait_ms: setbacks.waitMs }, text);
      }
      await this.pause(setbacks.waitMs);
    }
  }

  /** To the end of the job, or to where this process stops. */
  private async workOnce(lease: JobLease, setbacks: Setbacks, failure: BulkFailure | undefined): Promise<void> {
    const job = await lease.take();
    setbacks.stands(stepsOf(job));
    if (failure) return this.failures.fail(job, lease, failure);
    const done = this.stop.isStopping ? undefined : await this.work.on(job, lease);
    return done ? this.ends.end(job, lease, done) : lease.giveBack();
  }

  /** Not beyond the end of the process. */
  private async pause(forMs: number): Promise<void> {
    await sleep(forMs, undefined, { signal: this.stop.signal }).catch(() => undefined);
  }
}

function stepsOf({ lineCount, position }: BulkJobRecord): bigint {
  return lineCount + (position ?? 0n);
}
