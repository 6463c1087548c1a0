import { Injectable } from '@nestjs/common';
import type { OwnEvent } from '../cdc/own-events.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { periodAround, type CalendarBucket, type OrganisationCalendar, type Period } from './bucket-time.js';
import { KpiHistoryRepository, type SeriesRow } from './kpi-history.repository.js';
import type { KpiSnapshot } from './kpi.dto.js';
import { seriesIn } from './kpi.mapper.js';
import { KpiRecorder, type FigureToRecord, type RecordOutcome } from './kpi-recorder.service.js';
import type { RollupRecord, RollupStep } from './kpi-rollup.repository.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';
import { rolledUp, type Aggregate } from './rollup.js';

const PERIODS_A_STEP = 31;

/** What a step is about to record, and where the next one begins. */
export interface PlannedStep {
  figures: FigureToRecord[];
  leftOut: number;
  series: bigint;
  doneTo: Date | null;
}

/** A rollup in pieces that fit into a transaction: some periods of one series. */
@Injectable()
export class RollupSteps {
  constructor(
    private readonly history: KpiHistoryRepository,
    private readonly recorder: KpiRecorder,
    private readonly calendars: OrganisationCalendars,
  ) {}

  /** Undefined when all series are through. */
  async plan(rollup: RollupRecord): Promise<PlannedStep | undefined> {
    const { orgcode, doneTo } = rollup;
    const search = { ...rollup, bucket: rollup.fromBucket, logicalGuid: rollup.logicalGuid ?? '' };
    // A series that was begun is found again: its number is the one to go on with.
    const [row] = await this.history.series(orgcode, search, doneTo ? rollup.series - 1n : rollup.series, 1);
    if (!row) return undefined;
    const from = doneTo ?? rollup.fromUtc;
    const first = await this.history.firstFrom(orgcode, row.series, { start: from, end: rollup.toUtc });
    if (!first) return { figures: [], leftOut: 0, series: row.series, doneTo: null };
    return this.planPeriods(rollup, row, first, await this.calendars.of(orgcode));
  }

  /** Those that are there with that value stay as they are. */
  async record(tx: Tx, orgcode: string, planned: PlannedStep): Promise<{ step: RollupStep; events: OwnEvent[] }> {
    const first = await this.recorder.record(tx, orgcode, planned.figures);
    const changed = planned.figures.flatMap((figure, i) => revisionOf(figure, first.outcomes[i]));
    const second = changed.length > 0 ? await this.recorder.record(tx, orgcode, changed) : { outcomes: [], events: [] };
    const recorded = count(first.outcomes, 'recorded');
    const revised = count(second.outcomes, 'revised');
    const unchanged = first.outcomes.filter(isPresent).length - changed.length;
    const { figures, leftOut, series, doneTo } = planned;
    const refused = figures.length - recorded - revised - unchanged;
    const step = { series, doneTo, recorded, revised, unchanged, leftOut: leftOut + refused };
    return { step, events: [...first.events, ...second.events] };
  }

  private async planPeriods(
    rollup: RollupRecord,
    row: SeriesRow,
    first: Date,
    calendar: OrganisationCalendar,
  ): Promise<PlannedStep> {
    const periods = periodsFrom(rollup.toBucket as CalendarBucket, first, rollup, calendar);
    const last = periods.at(-1);
    if (!last) return { figures: [], leftOut: 0, series: row.series, doneTo: null };
    const whole = { start: periods[0]?.start ?? last.start, end: last.end };
    const parts = await this.history.figures(rollup.orgcode, row.series, whole);
    let leftOut = 0;
    const figures = periods.flatMap((period) => {
      const within = parts.filter(({ bucketStart }) => bucketStart >= period.start && bucketStart < period.end);
      const result = rolledUp(rollup.aggregate as Aggregate, within);
      if (!result && within.length > 0) leftOut += 1;
      return result
        ? [{ ...result, ...period, ...figureBase(rollup, row), valueUnit: within.at(-1)?.valueUnit ?? undefined }]
        : [];
    });
    return { figures, leftOut, series: row.series, doneTo: last.end < rollup.toUtc ? last.end : null };
  }
}

/** Whole ones that start in the range, beginning with the one that the first figure lies in. */
function periodsFrom(
  bucket: CalendarBucket,
  first: Date,
  { fromUtc, toUtc }: RollupRecord,
  calendar: OrganisationCalendar,
): Period[] {
  const periods: Period[] = [];
  let period = periodAround(bucket, first, calendar);
  if (period.start < fromUtc) period = periodAround(bucket, period.end, calendar);
  while (period.start < toUtc && periods.length < PERIODS_A_STEP) {
    periods.push(period);
    period = periodAround(bucket, period.end, calendar);
  }
  return periods;
}

function figureBase(
  rollup: RollupRecord,
  row: SeriesRow,
): Omit<FigureToRecord, 'start' | 'end' | 'value' | 'valueUnit' | 'sampleCount'> {
  return {
    key: { ...seriesIn(row), kpiCode: rollup.intoKpiCode, bucket: rollup.toBucket as CalendarBucket },
    kpiId: undefined,
    computedAt: new Date(),
    policyRefs: undefined,
    expectedRevision: undefined,
  };
}

/** With the revision that the answer showed: nobody else writes the series before the commit. */
function revisionOf(figure: FigureToRecord, outcome: RecordOutcome | undefined): FigureToRecord[] {
  if (!isPresent(outcome)) return [];
  const { value, sample_count, revision } = outcome.conflictSnapshot;
  if (value === figure.value && sample_count === figure.sampleCount) return [];
  return [{ ...figure, expectedRevision: revision }];
}

function isPresent(outcome: RecordOutcome | undefined): outcome is RecordOutcome & { conflictSnapshot: KpiSnapshot } {
  return outcome?.status === 'rejected' && outcome.conflictSnapshot !== undefined;
}

function count(outcomes: readonly RecordOutcome[], status: RecordOutcome['status']): number {
  return outcomes.filter((outcome) => outcome.status === status).length;
}
