import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '../platform/database/database.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { KpiRollupRuns } from './kpi-rollup-runs.service.js';
import { KpiRollupRepository } from './kpi-rollup.repository.js';

const LOOKED_AT = 100;
const AT_ONCE = 4;
/** One that is still open after its run has failed, or is another worker's. */
const AGAIN_AFTER_MS = 30_000;

/** Takes up rollups that were ordered, and those whose worker was lost: a few at once, of one organisation one. */
@Injectable()
export class KpiRollupSweep {
  private readonly atWork = new Set<string>();
  private readonly triedAtMs = new Map<string, number>();
  private isLooking = false;

  constructor(
    private readonly database: Database,
    private readonly rollups: KpiRollupRepository,
    private readonly runs: KpiRollupRuns,
    private readonly stop: GracefulStop,
  ) {}

  @Interval(1_000)
  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping || this.atWork.size >= AT_ONCE) return;
    this.isLooking = true;
    try {
      const open = await this.database.acrossOrganisations('kpi rollup', (tx) => this.rollups.open(tx, LOOKED_AT));
      this.forgetAllBut(open.map(nameOf));
      for (const rollup of open) {
        if (this.atWork.size >= AT_ONCE) break;
        if (!this.atWork.has(rollup.orgcode) && this.mayTry(nameOf(rollup))) void this.begin(rollup);
      }
    } catch (error) {
      log.warn({ err: error }, 'rollups could not be looked for; they are in a second');
    } finally {
      this.isLooking = false;
    }
  }

  private mayTry(name: string): boolean {
    return performance.now() - (this.triedAtMs.get(name) ?? -Infinity) > AGAIN_AFTER_MS;
  }

  private forgetAllBut(names: readonly string[]): void {
    const open = new Set(names);
    for (const name of this.triedAtMs.keys()) if (!open.has(name)) this.triedAtMs.delete(name);
  }

  private async begin(rollup: { orgcode: string; rollupId: string }): Promise<void> {
    this.atWork.add(rollup.orgcode);
    try {
      await this.runs.run(rollup);
    } catch (error) {
      log.warn({ err: error, ...rollup }, 'a rollup could not begin or end; it goes on in a moment');
    } finally {
      this.triedAtMs.set(nameOf(rollup), performance.now());
      this.atWork.delete(rollup.orgcode);
    }
  }
}

function nameOf({ orgcode, rollupId }: { orgcode: string; rollupId: string }): string {
  return `${orgcode}/${rollupId}`;
}
