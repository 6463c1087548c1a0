import { Injectable } from '@nestjs/common';
import { WriteService, type Written } from '../audit/write.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import type { OrganisationCalendar } from './bucket-time.js';
import type { KpiBatchRequest, KpiBatchResult, KpiBatchResultItem, KpiRecorded, KpiRecordRequest } from './kpi.dto.js';
import { kpiErrors } from './kpi.errors.js';
import { judgeItem, type JudgedItem } from './kpi-batch-item.js';
import { bucketProblems, figureOf, isOwnKpi, periodOf } from './kpi-figure.js';
import { KpiRecorder, type RecordOutcome } from './kpi-recorder.service.js';
import { OrganisationCalendars } from './organisation-calendars.service.js';

/** Figures that callers record. */
@Injectable()
export class KpiRecording {
  constructor(
    private readonly writes: WriteService,
    private readonly recorder: KpiRecorder,
    private readonly calendars: OrganisationCalendars,
  ) {}

  async record(caller: Caller, request: KpiRecordRequest): Promise<Answer<KpiRecorded>> {
    const { kpi } = request;
    const calendar = await this.calendars.judging(caller.orgcode, kpi.bucket, periodOf(kpi));
    return this.writes.once(caller, request, (tx) => this.write(tx, caller, request), {
      precondition: () => assertRecordable(request, calendar),
    });
  }

  /** Judges each figure by itself and writes those that may stand, all of them in one transaction. */
  async recordBatch(caller: Caller, request: KpiBatchRequest): Promise<Answer<KpiBatchResult>> {
    const calendar = await this.calendars.of(caller.orgcode);
    const judged = request.kpis.map((item) => judgeItem(item, calendar));
    return this.writes.once(caller, request, async (tx) => {
      const figures = judged.flatMap((item) => ('figure' in item ? [item.figure] : []));
      const { outcomes, events } = await this.recorder.record(tx, caller.orgcode, figures);
      const data = resultOf(judged, outcomes);
      const after = {
        recorded: data.recorded,
        revised: data.revised,
        rejected: data.rejected,
        kpis: data.items.flatMap(({ kpi_id, revision }) => (revision === undefined ? [] : [{ kpi_id, revision }])),
      };
      return { data, audit: { resource: { type: 'kpi_batch', id: caller.requestId }, after }, events };
    });
  }

  private async write(tx: Tx, caller: Caller, request: KpiRecordRequest): Promise<Written<KpiRecorded>> {
    const { kpi: fields, policy_refs, expected_revision } = request;
    const figure = { ...figureOf(fields, policy_refs), expectedRevision: expected_revision };
    const { outcomes, events } = await this.recorder.record(tx, caller.orgcode, [figure]);
    const [outcome] = outcomes;
    if (!outcome) throw new Error('a figure was recorded and nothing was said of it');
    if (outcome.status === 'rejected') throw refusalOf(outcome);
    const { kpi, before } = outcome;
    return {
      data: { kpi },
      revision: kpi.revision,
      audit: { resource: { type: 'kpi', id: kpi.kpi_id }, ...(before && { before }), after: kpi },
      events,
    };
  }
}

function assertRecordable({ kpi }: KpiRecordRequest, calendar: OrganisationCalendar): void {
  if (isOwnKpi(kpi.kpi_code)) throw new AppError(kpiErrors.reserved);
  const fields = bucketProblems(kpi, calendar, 'kpi.');
  if (fields.length > 0) throw new AppError(kpiErrors.invalid, { fields });
}

function refusalOf({ failure, details, conflictSnapshot }: Extract<RecordOutcome, { status: 'rejected' }>): AppError {
  return new AppError(failure, {
    ...(details && { details: details as Record<string, unknown> }),
    ...(conflictSnapshot && { conflictSnapshot }),
  });
}

function resultOf(judged: readonly JudgedItem[], outcomes: readonly RecordOutcome[]): KpiBatchResult {
  const counts = { recorded: 0, revised: 0, rejected: 0 };
  let next = 0;
  const items = judged.map((item, index): KpiBatchResultItem => {
    const shown = 'figure' in item ? shownOf(outcomes[next++]) : { status: 'rejected' as const, error: item.error };
    counts[shown.status] += 1;
    return { index, ...shown };
  });
  return { ...counts, items };
}

function shownOf(outcome: RecordOutcome | undefined): Omit<KpiBatchResultItem, 'index'> {
  if (!outcome) throw new Error('fewer figures were judged than were given');
  if (outcome.status !== 'rejected')
    return { status: outcome.status, kpi_id: outcome.kpi.kpi_id, revision: outcome.kpi.revision };
  const { failure, conflictSnapshot } = outcome;
  return {
    status: 'rejected',
    error: {
      error_code: failure.tag,
      message: failure.message,
      ...(conflictSnapshot && { conflict_snapshot: conflictSnapshot }),
    },
  };
}
