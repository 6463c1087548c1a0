import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { OperationRuns, type OperationResult, type RunningOperation } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';
import { OwnKpiProgressRepository } from './own-kpi-progress.repository.js';
import { GRACE_SECONDS, OwnKpis } from './own-kpis.service.js';

const EVERY_MS = 30_000;
const ORGANISATIONS_A_PAGE = 200;
const RUN = { type: 'own_kpis', subject: 'own_kpis', initiator: 'ipm' };

/** Tells every organisation's hours when they are over, as an operation run: one worker is at it, another goes on where it was lost. */
@Injectable()
export class OwnKpisSweep {
  private isLooking = false;

  constructor(
    private readonly database: Database,
    private readonly progress: OwnKpiProgressRepository,
    private readonly own: OwnKpis,
    private readonly calendars: OrganisationCalendars,
    private readonly runs: OperationRuns,
    private readonly stop: GracefulStop,
  ) {}

  @Interval(EVERY_MS)
  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping) return;
    this.isLooking = true;
    try {
      if ((await this.due('', 1)).length > 0) await this.runs.run(RUN, (run) => this.goOn(run));
    } catch (error) {
      log.warn({ err: error }, "IPM's own KPIs could not be told; they are in a moment");
    } finally {
      this.isLooking = false;
    }
  }

  async goOn(run: RunningOperation): Promise<OperationResult | undefined> {
    const counts = { organisations: 0, hours: 0, failed: 0 };
    for (let after = ''; ;) {
      const page = await this.due(after, ORGANISATIONS_A_PAGE);
      for (const orgcode of page) {
        if (this.stop.isStopping) return undefined;
        const hours = await this.tell(orgcode);
        if (hours === undefined) counts.failed += 1;
        else counts.hours += hours;
        counts.organisations += 1;
      }
      await run.beat(counts);
      const last = page.at(-1);
      if (!last || page.length < ORGANISATIONS_A_PAGE)
        return { outcome: outcomeOf(counts), counts, message: "IPM's own work was told as KPIs." };
      after = last;
    }
  }

  /** Undefined where it failed: the others are told all the same, and this one again in the next round. */
  private async tell(orgcode: string): Promise<number | undefined> {
    try {
      return await this.own.tell(orgcode, await this.calendars.of(orgcode));
    } catch (error) {
      log.warn({ err: error, orgcode }, "an organisation's own KPIs could not be told; they are in a moment");
      return undefined;
    }
  }

  private due(after: string, limit: number): Promise<string[]> {
    return this.database.acrossOrganisations('own kpis', (tx) => this.progress.due(tx, after, GRACE_SECONDS, limit));
  }
}

function outcomeOf({ failed }: { failed: number }): OperationResult['outcome'] {
  return failed === 0 ? 'succeeded' : 'partially_succeeded';
}
