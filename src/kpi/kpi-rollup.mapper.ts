import type { KpiRollup } from './kpi-rollup.dto.js';
import type { RollupRecord } from './kpi-rollup.repository.js';
import { given, timeToWire } from './kpi.mapper.js';

export function rollupToWire(record: RollupRecord): KpiRollup {
  const dimensions = record.dimensions as object;
  return {
    rollup_id: record.rollupId,
    status: record.status,
    kpi_code: record.kpiCode,
    into_kpi_code: record.intoKpiCode,
    scope: record.scope,
    ...given('logical_guid', record.logicalGuid),
    ...given('channel_code', record.channelCode),
    ...(Object.keys(dimensions).length > 0 ? { dimensions } : {}),
    from_bucket: record.fromBucket,
    to_bucket: record.toBucket,
    aggregate: record.aggregate,
    from_utc: timeToWire(record.fromUtc),
    to_utc: timeToWire(record.toUtc),
    recorded: record.recorded,
    revised: record.revised,
    unchanged: record.unchanged,
    left_out: record.leftOut,
    ...given('operation_run_id', record.operationRunId),
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
  } as KpiRollup;
}
