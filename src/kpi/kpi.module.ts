import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { KpiAlertRepository } from './kpi-alert.repository.js';
import { KpiAlerts } from './kpi-alerts.service.js';
import { KpiQuery } from './kpi-query.service.js';
import { KpiRecorder } from './kpi-recorder.service.js';
import { KpiRecording } from './kpi-recording.service.js';
import { KpiRuleEvaluation } from './kpi-rule-evaluation.service.js';
import { KpiRules } from './kpi-rules.service.js';
import { KpiRuleRepository } from './kpi-rule.repository.js';
import { KpiSeriesRepository } from './kpi-series.repository.js';
import { KpiSnapshotRepository } from './kpi-snapshot.repository.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';

/** Figures in buckets: recorded, queried, and watched by rules. */
@Module({
  imports: [AccessModule, AuditModule],
  providers: [
    KpiAlertRepository,
    KpiAlerts,
    KpiQuery,
    KpiRecorder,
    KpiRecording,
    KpiRuleEvaluation,
    KpiRuleRepository,
    KpiRules,
    KpiSeriesRepository,
    KpiSnapshotRepository,
    OrganisationCalendars,
  ],
  exports: [KpiAlerts, KpiQuery, KpiRecording, KpiRules],
})
export class KpiModule {}
