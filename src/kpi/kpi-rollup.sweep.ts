import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '../platform/database/database.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { KpiRollupRuns } from './kpi-rollup-runs.service.js';
import { KpiRollupRepository } from './kpi-rollup.repository.js';

const LOOKED_AT = 20;

/** Takes up rollups that were ordered, and those whose worker was lost. */
@Injectable()
export class KpiRollupSweep {
  private isLooking = false;

  constructor(
    private readonly database: Database,
    private readonly rollups: KpiRollupRepository,
    private readonly runs: KpiRollupRuns,
    private readonly stop: GracefulStop,
  ) {}

  @Interval(1_000)
  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping) return;
    this.isLooking = true;
    try {
      const open = await this.database.acrossOrganisations('kpi rollup', (tx) => this.rollups.open(tx, LOOKED_AT));
      for (const rollup of open) await this.runs.run(rollup);
    } catch (error) {
      log.warn({ err: error }, 'rollups could not be looked for; they are in a second');
    } finally {
      this.isLooking = false;
    }
  }
}
