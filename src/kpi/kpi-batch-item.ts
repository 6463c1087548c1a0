import { AppError, type FieldProblem } from '../platform/errors/app-error.js';
import type { ExpectedFailure } from '../platform/errors/error-catalog.js';
import { assertStorable } from '../platform/http/body-hygiene.js';
import { checkedShape } from '../platform/http/validation.pipe.js';
import type { OrganisationCalendar } from './bucket-time.js';
import { KpiBatchItem, type KpiItemError } from './kpi.dto.js';
import { kpiErrors } from './kpi.errors.js';
import { bucketProblems, figureOf, isOwnKpi } from './kpi-figure.js';
import type { FigureToRecord } from './kpi-recorder.service.js';

export type JudgedItem = { figure: FigureToRecord } | { error: KpiItemError };

/** Whether one item of a batch is a figure that may be recorded. */
export function judgeItem(item: unknown, calendar: OrganisationCalendar): JudgedItem {
  try {
    assertStorable(item);
    const fields = checkedShape(KpiBatchItem, item);
    if (isOwnKpi(fields.kpi_code)) return refused(kpiErrors.reserved);
    const problems = bucketProblems(fields, calendar);
    if (problems.length > 0) return refused(kpiErrors.invalid, problems);
    return { figure: { ...figureOf(fields, fields.policy_refs), expectedRevision: fields.expected_revision } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return refused(error.failure, error.context.fields);
  }
}

function refused({ tag, message }: ExpectedFailure, fields: readonly FieldProblem[] = []): JudgedItem {
  return { error: { error_code: tag, message, ...(fields.length > 0 && { fields: [...fields] }) } };
}
