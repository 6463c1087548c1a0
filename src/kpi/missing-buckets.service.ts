import { Injectable } from '@nestjs/common';
import { OwnEvents } from '../cdc/own-events.service.js';
import { Database } from '../platform/database/database.js';
import { isCalendarBucket, periodAfter, type OrganisationCalendar, type Period } from './bucket-time.js';
import { KpiAlertRepository } from './kpi-alert.repository.js';
import { KpiHistoryRepository, type HistoryFigure, type SeriesRow } from './kpi-history.repository.js';
import { seriesIn } from './kpi.mapper.js';
import { alertRaised } from './kpi-own-events.js';
import type { RuleRecord } from './kpi-rule.repository.js';
import { KpiSeriesRepository } from './kpi-series.repository.js';
import { newAlertOf } from './rule-alert.js';

const SERIES_A_PAGE = 500;
const MINUTE_MS = 60_000;

interface Overdue {
  period: Period;
  minutes: number;
}

/** Says what did not come: the bucket after the last one of a series, once, so many minutes after it should have been complete. */
@Injectable()
export class MissingBuckets {
  constructor(
    private readonly database: Database,
    private readonly history: KpiHistoryRepository,
    private readonly series: KpiSeriesRepository,
    private readonly alerts: KpiAlertRepository,
    private readonly ownEvents: OwnEvents,
  ) {}

  async look(rule: RuleRecord, calendar: OrganisationCalendar): Promise<void> {
    for (let after = 0n; ;) {
      const page = await this.history.lastOfEach(rule.orgcode, rule, after, SERIES_A_PAGE);
      for (const row of page) if (overdueAfter(row, rule, calendar, Date.now())) await this.raise(rule, row, calendar);
      const last = page.at(-1);
      if (!last || page.length < SERIES_A_PAGE) return;
      after = last.series;
    }
  }

  /** Under the lock of who records the series: what came a moment ago is not missing. */
  private async raise(rule: RuleRecord, row: SeriesRow, calendar: OrganisationCalendar): Promise<void> {
    const { orgcode } = rule;
    const isRaised = await this.database.transaction(orgcode, async (tx) => {
      await this.series.hold(tx, orgcode, row.series);
      const last = await this.history.last(tx, orgcode, row.series);
      const overdue = last && overdueAfter({ ...row, ...last }, rule, calendar, Date.now());
      if (!overdue) return false;
      const bucket = { bucketStart: overdue.period.start, bucketEnd: overdue.period.end, value: overdue.minutes };
      const verdict = {
        rule,
        series: row.series,
        key: seriesIn(row),
        bucket,
        measured: overdue.minutes,
        isBreached: true,
      };
      const raised = await this.alerts.insert(tx, orgcode, [newAlertOf(verdict)]);
      await this.ownEvents.appendUnasked(
        tx,
        orgcode,
        'A bucket that a standing rule waits for is missing.',
        raised.map(alertRaised),
      );
      return raised.length > 0;
    });
    if (isRaised) this.ownEvents.announce(orgcode);
  }
}

/** What ended before the rule watched is not missed by it. */
function overdueAfter(
  last: Pick<SeriesRow, 'bucket'> & Pick<HistoryFigure, 'bucketStart' | 'bucketEnd'>,
  { threshold, watchesFrom }: Pick<RuleRecord, 'threshold' | 'watchesFrom'>,
  calendar: OrganisationCalendar,
  nowMs: number,
): Overdue | undefined {
  if (!isCalendarBucket(last.bucket)) return undefined;
  const period = periodAfter(last.bucket, { start: last.bucketStart, end: last.bucketEnd }, calendar);
  const minutes = (nowMs - period.end.getTime()) / MINUTE_MS;
  return minutes >= threshold && period.end >= watchesFrom ? { period, minutes } : undefined;
}
