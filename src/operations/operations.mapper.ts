import { operationTypeOf } from './operation-types.js';
import type { RunDetailRow, RunRow } from './operation-view.repository.js';
import type { OperationRunDetail, OperationRunListItem, ReconciliationRecord } from './operations.dto.js';

export function runToWire(row: RunRow): OperationRunListItem {
  return {
    id: row.id,
    type: row.type,
    type_label: operationTypeOf(row.type).label,
    status: row.status,
    outcome: row.outcome,
    freshness_state: row.freshness,
    reconciled: row.reconciledAt !== null,
    ...(row.orgId !== null && { tenant_id: row.orgId }),
    initiator_name: row.initiator,
    operator_message: sentenceOn(row),
    created_at: row.createdAt.toISOString(),
    ...(row.startedAt && { started_at: row.startedAt.toISOString() }),
    ...(row.completedAt && { completed_at: row.completedAt.toISOString() }),
  };
}

export function runDetailToWire(row: RunDetailRow): OperationRunDetail {
  const reconciliation = reconciliationOf(row);
  return {
    ...runToWire(row),
    summary_counts: row.counts,
    failure_summary: row.failures,
    ...(reconciliation && { reconciliation }),
    diagnostics: { threshold_seconds: row.thresholdSeconds, evidence: row.signs },
  };
}

function reconciliationOf(row: RunDetailRow): ReconciliationRecord | undefined {
  const { reconciledAt, source, reasonCode, reasonMessage, evidence } = row;
  if (!reconciledAt || !source) return undefined;
  return {
    reconciled_at: reconciledAt.toISOString(),
    source,
    reason_code: reasonCode ?? '',
    reason_message: reasonMessage ?? '',
    evidence: evidence ?? {},
  };
}

/** Nothing of it comes from outside: what a run is said to be is written by those who run it. */
function sentenceOn({ status, freshness, message }: RunRow): string {
  const isStale = freshness === 'likely_stale';
  if (status === 'completed') return message ?? 'It has ended.';
  if (status === 'queued')
    return isStale ? 'It waits for longer than it should: workers are busy, or away.' : 'It waits for its turn.';
  return isStale ? 'Its worker is silent for too long; another goes on with it, or it is ended.' : 'A worker is at it.';
}
