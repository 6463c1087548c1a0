import { Injectable, type OnModuleInit } from '@nestjs/common';
import { namedIn, OperationAdapters, type StaleRun, type Standing } from '../operations/operation-adapters.service.js';
import { Database } from '../platform/database/database.js';
import { countsOf, KpiRollupRuns } from './kpi-rollup-runs.service.js';
import { KpiRollupRepository } from './kpi-rollup.repository.js';
import { OwnKpisSweep } from './own-kpis.sweep.js';

/** What becomes of the run of a rollup, or of that of IPM's own KPIs, whose worker is gone. */
@Injectable()
export class KpiReconciliation implements OnModuleInit {
  constructor(
    private readonly adapters: OperationAdapters,
    private readonly database: Database,
    private readonly rollups: KpiRollupRepository,
    private readonly runs: KpiRollupRuns,
    private readonly own: OwnKpisSweep,
  ) {}

  onModuleInit(): void {
    this.adapters.register('kpi_rollup', (run) => this.rollupStanding(run));
    this.adapters.register('own_kpis', () =>
      Promise.resolve<Standing>({ kind: 'open', work: (running) => this.own.goOn(running) }),
    );
  }

  private async rollupStanding(run: StaleRun): Promise<Standing> {
    const [orgcode, rollupId] = [run.orgcode ?? '', namedIn(run)];
    const rollup = await this.database.read(orgcode, (db) => this.rollups.find(db, orgcode, rollupId));
    if (!rollup) return { kind: 'gone' };
    if (rollup.status !== 'completed')
      return { kind: 'open', work: (running) => this.runs.goOn(orgcode, rollupId, running) };
    const message = 'The figures were rolled up.';
    return { kind: 'ended', result: { outcome: 'succeeded', counts: countsOf(rollup), message } };
  }
}
