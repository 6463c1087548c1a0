import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { WorkRound } from '../operations/work-round.service.js';
import { Configuration } from '../platform/config/configuration.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { BulkActRuns } from './bulk-act-runs.service.js';
import type { BulkActRecord } from './bulk-act.repository.js';

const LOOKED_AT = 100;

/** Takes up acts on many that were ordered, and those whose worker was lost. */
@Injectable()
export class BulkActSweep implements BeforeApplicationShutdown {
  private readonly round: WorkRound<BulkActRecord>;

  constructor(
    runs: BulkActRuns,
    stop: GracefulStop,
    private readonly configuration: Configuration,
  ) {
    this.round = new WorkRound(stop, {
      name: 'an act on many dead letters',
      keyOf: ({ bulkActId }) => bulkActId,
      open: () => runs.open(LOOKED_AT),
      run: (record) => runs.run(record),
    });
  }

  @Interval(1_000)
  look(): Promise<void> {
    return this.round.look();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.round.leave(this.configuration.stopGraceSeconds);
  }
}
