import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { OperationRuns } from '../operations/operation-runs.service.js';
import { Database } from '../platform/database/database.js';
import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { kpiErrors } from './kpi.errors.js';
import { isOwnKpi, placeProblems } from './kpi-figure.js';
import type { KpiRollup, KpiRollupData, KpiRollupRequest, KpiRollupToDo } from './kpi-rollup.dto.js';
import { rollupToWire } from './kpi-rollup.mapper.js';
import { KpiRollupRepository, type NewRollup } from './kpi-rollup.repository.js';
import { scopeOf } from './kpi-series.js';
import { rollupRun } from './rollup-run.js';

const MAX_OPEN = 20;

/** Rollups as callers order them; a worker does them. */
@Injectable()
export class KpiRollups {
  constructor(
    private readonly database: Database,
    private readonly writes: WriteService,
    private readonly rollups: KpiRollupRepository,
    private readonly runs: OperationRuns,
  ) {}

  order(caller: Caller, request: KpiRollupRequest): Promise<Answer<KpiRollupData>> {
    return this.writes.once(
      caller,
      request,
      async (tx) => {
        if ((await this.rollups.countOpen(tx, caller.orgcode)) >= MAX_OPEN)
          throw new AppError(kpiErrors.tooManyRollups, { details: { max: MAX_OPEN } });
        const inserted = await this.rollups.insert(tx, caller.orgcode, newRollupOf(request));
        if (!inserted) throw new AppError(kpiErrors.rollupExists);
        const { orgcode, rollupId } = inserted;
        const runId = await this.runs.queue(tx, rollupRun(orgcode, rollupId, caller.actor));
        const rollup = rollupToWire(await this.rollups.noteRun(tx, orgcode, rollupId, runId));
        return { data: { rollup }, audit: { resource: { type: 'kpi_rollup', id: rollup.rollup_id }, after: rollup } };
      },
      { precondition: () => assertRollup(request.rollup) },
    );
  }

  async get(orgcode: string, rollupId: string): Promise<KpiRollup> {
    const found = await this.database.read(orgcode, (db) => this.rollups.find(db, orgcode, rollupId));
    if (!found) throw new AppError(kpiErrors.rollupNotFound);
    return rollupToWire(found);
  }
}

function newRollupOf({ rollup, rollup_id, reason }: KpiRollupRequest): NewRollup {
  return {
    rollupId: rollup_id ?? `rollup_${randomBytes(9).toString('base64url')}`,
    kpiCode: rollup.kpi_code,
    intoKpiCode: rollup.into_kpi_code ?? rollup.kpi_code,
    scope: scopeOf(rollup),
    logicalGuid: rollup.logical_guid,
    channelCode: rollup.channel_code,
    dimensions: rollup.dimensions ?? {},
    fromBucket: rollup.from_bucket,
    toBucket: rollup.to_bucket,
    aggregate: rollup.aggregate,
    fromUtc: new Date(rollup.from_utc),
    toUtc: new Date(rollup.to_utc),
    reason,
  };
}

/** IPM's own figures may be rolled up, into a code that is not its own. */
function assertRollup(rollup: KpiRollupToDo): void {
  if (isOwnKpi(rollup.into_kpi_code ?? rollup.kpi_code)) throw new AppError(kpiErrors.reserved);
  const fields: FieldProblem[] = placeProblems(rollup, 'rollup.');
  if (rollup.from_bucket === rollup.to_bucket) fields.push({ path: 'rollup.to_bucket', tag: 'not_larger' });
  if (new Date(rollup.from_utc) >= new Date(rollup.to_utc))
    fields.push({ path: 'rollup.to_utc', tag: 'not_after_from' });
  if (fields.length > 0) throw new AppError(kpiErrors.invalid, { fields });
}
