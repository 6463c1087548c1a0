import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { WorkRound } from '../operations/work-round.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { BulkRuns } from './bulk-runs.service.js';
import { BulkWorkRepository, type ClaimedJob } from './bulk-work.repository.js';

/** Takes jobs from the queue, as many as this worker has hands for. */
@Injectable()
export class BulkSweep implements BeforeApplicationShutdown {
  private readonly round: WorkRound<ClaimedJob>;

  constructor(
    jobs: BulkWorkRepository,
    runs: BulkRuns,
    stop: GracefulStop,
    private readonly configuration: Configuration,
  ) {
    const { bulk } = configuration;
    this.round = new WorkRound(
      stop,
      {
        name: 'a bulk job',
        keyOf: ({ orgcode, jobId, fence }) => `${orgcode}/${jobId}/${fence}`, // who has lost it may still be letting go
        open: (free) => jobs.claim(free, bulk.jobsOfAnOrganisation),
        run: (job) => runs.run(job),
      },
      bulk.jobsOfAWorker,
    );
  }

  @Interval(500)
  look(): Promise<void> {
    return this.round.look();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.round.leave(this.configuration.stopGraceSeconds);
  }
}
