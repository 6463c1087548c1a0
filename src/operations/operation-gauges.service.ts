import { Injectable, type OnModuleInit } from '@nestjs/common';
import { FigureGauges } from '../platform/telemetry/figure-gauges.js';
import { Metrics } from '../platform/telemetry/metrics.js';
import { OperationRuns } from './operation-runs.service.js';

/** Shows how many runs are at work, and of how many the worker is silent. */
@Injectable()
export class OperationGauges implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly runs: OperationRuns,
  ) {}

  onModuleInit(): void {
    new FigureGauges(this.metrics.registry, 'operation runs', () => this.runs.standing()).showEach(
      'ipm_operation_runs',
      'Operation runs that have not ended: fresh_active, or likely_stale where the worker is silent or the wait too long',
      'freshness',
      ({ fresh_active, likely_stale }) => ({ fresh_active, likely_stale }),
    );
  }
}
