import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { FigureGauges } from '../platform/telemetry/figure-gauges.js';
import { Metrics } from '../platform/telemetry/metrics.js';
import { OperationRunRepository } from './operation-run.repository.js';

/** Shows how many runs are at work, and of how many the worker is silent. */
@Injectable()
export class OperationGauges implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly database: Database,
    private readonly runs: OperationRunRepository,
  ) {}

  onModuleInit(): void {
    const standing = (): ReturnType<OperationRunRepository['standing']> =>
      this.database.acrossOrganisations('operation run', (tx) => this.runs.standing(tx));
    new FigureGauges(this.metrics.registry, 'operation runs', standing).showEach(
      'ipm_operation_runs',
      'Operation runs that have not ended: fresh_active, or likely_stale where the worker is silent or the wait too long',
      'freshness',
      ({ fresh_active, likely_stale }) => ({ fresh_active, likely_stale }),
    );
  }
}
