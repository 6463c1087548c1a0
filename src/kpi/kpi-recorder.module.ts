import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { KpiAlertRepository } from './kpi-alert.repository.js';
import { KpiHistoryRepository } from './kpi-history.repository.js';
import { KpiRecorder } from './kpi-recorder.service.js';
import { KpiRollupRepository } from './kpi-rollup.repository.js';
import { KpiRuleEvaluation } from './kpi-rule-evaluation.service.js';
import { KpiRuleRepository } from './kpi-rule.repository.js';
import { KpiSeriesRepository } from './kpi-series.repository.js';
import { KpiSnapshotRepository } from './kpi-snapshot.repository.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';

const shared = [
  KpiAlertRepository,
  KpiHistoryRepository,
  KpiRecorder,
  KpiRollupRepository,
  KpiRuleRepository,
  KpiSeriesRepository,
  KpiSnapshotRepository,
  OrganisationCalendars,
];

/** Figures, and the rules that judge them as they are written: for callers and for what IPM records by itself. */
@Module({ imports: [AccessModule], providers: [...shared, KpiRuleEvaluation], exports: shared })
export class KpiRecorderModule {}
