import { Injectable } from '@nestjs/common';
import { OperationRuns } from '../operations/operation-runs.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { BulkWorkRepository, type ClaimedJob } from './bulk-work.repository.js';
import { JobLease } from './job-lease.js';

/** Opens the leases of this worker. */
@Injectable()
export class JobLeases {
  constructor(
    private readonly jobs: BulkWorkRepository,
    private readonly runs: OperationRuns,
    private readonly configuration: Configuration,
  ) {}

  on(claimed: ClaimedJob): JobLease {
    return new JobLease(claimed, this.jobs, this.runs, this.configuration.bulk.leaseSeconds);
  }
}
