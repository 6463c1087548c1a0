import { Injectable } from '@nestjs/common';
import { OwnEvents } from '../cdc/own-events.service.js';
import { OperationRuns, type OperationResult, type RunningOperation } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { KpiRollupRepository, type RollupRecord } from './kpi-rollup.repository.js';
import { rollupRun } from './rollup-run.js';
import { RollupSteps } from './rollup-steps.service.js';

/** Works off a rollup step by step; a step and how far it leads are one transaction, so whoever takes over does none twice. */
@Injectable()
export class KpiRollupRuns {
  constructor(
    private readonly database: Database,
    private readonly rollups: KpiRollupRepository,
    private readonly steps: RollupSteps,
    private readonly runs: OperationRuns,
    private readonly ownEvents: OwnEvents,
    private readonly stop: GracefulStop,
  ) {}

  run({ orgcode, rollupId }: Pick<RollupRecord, 'orgcode' | 'rollupId'>): Promise<boolean> {
    return this.runs.run(rollupRun(orgcode, rollupId, 'ipm'), (run) => this.goOn(orgcode, rollupId, run));
  }

  /** From where it stands, whoever has worked at it before. */
  async goOn(orgcode: string, rollupId: string, run: RunningOperation): Promise<OperationResult | undefined> {
    for (;;) {
      if (this.stop.isStopping) return undefined;
      const rollup = await this.database.read(orgcode, (db) => this.rollups.find(db, orgcode, rollupId));
      if (!rollup || rollup.status === 'completed')
        return { outcome: 'succeeded', counts: {}, message: 'It was done.' };
      const counts = countsOf(rollup);
      await run.beat(counts);
      const planned = await this.steps.plan(rollup);
      if (!planned) {
        await this.database.transaction(orgcode, (tx) => this.rollups.complete(tx, orgcode, rollupId, run.id));
        return { outcome: 'succeeded', counts, message: 'The figures were rolled up.' };
      }
      await this.database.transaction(orgcode, async (tx) => {
        const { step, events } = await this.steps.record(tx, orgcode, planned);
        if (!(await this.rollups.advance(tx, rollup, step, run.id)))
          throw new Error('another worker is at this rollup');
        await this.ownEvents.appendUnasked(tx, orgcode, rollup.reason, events);
      });
      this.ownEvents.announce(orgcode);
    }
  }
}

export function countsOf({ recorded, revised, unchanged, leftOut }: RollupRecord): Record<string, number> {
  return { recorded, revised, unchanged, left_out: leftOut };
}
