import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { KpiAlerts } from './kpi-alerts.service.js';
import { KpiChart } from './kpi-chart.service.js';
import { KpiQuery } from './kpi-query.service.js';
import { KpiRecorderModule } from './kpi-recorder.module.js';
import { KpiRecording } from './kpi-recording.service.js';
import { KpiRollups } from './kpi-rollups.service.js';
import { KpiRules } from './kpi-rules.service.js';

/** Figures in buckets: recorded, queried, rolled up, and watched by rules. */
@Module({
  imports: [AuditModule, KpiRecorderModule, OperationsModule],
  providers: [KpiAlerts, KpiChart, KpiQuery, KpiRecording, KpiRollups, KpiRules],
  exports: [KpiAlerts, KpiChart, KpiQuery, KpiRecording, KpiRollups, KpiRules],
})
export class KpiModule {}
