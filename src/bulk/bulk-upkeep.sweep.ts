import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { log } from '../platform/telemetry/logger.js';
import { BulkUpkeep } from './bulk-upkeep.service.js';
import { LateReports } from './late-reports.service.js';

const EVERY_MS = 60_000;

@Injectable()
export class BulkUpkeepSweep {
  private isAtWork = false;

  constructor(
    private readonly upkeep: BulkUpkeep,
    private readonly lateReports: LateReports,
  ) {}

  /** Every step may be done twice, so several workers may be at it. */
  @Interval(EVERY_MS)
  async tidy(): Promise<void> {
    if (this.isAtWork) return;
    this.isAtWork = true;
    try {
      const reported = await this.lateReports.run();
      const done = { reported, ...(await this.upkeep.run(new Date())) };
      if (reported + done.expired + done.cleared + done.forgotten > 0) log.info(done, 'old bulk jobs were tidied up');
    } catch (error) {
      log.warn({ err: error }, 'bulk jobs could not be tidied up; it comes round again');
    } finally {
      this.isAtWork = false;
    }
  }
}
