import type { KpiRule } from './kpi-rule.dto.js';
import type { RuleRecord } from './kpi-rule.repository.js';
import { given } from './kpi.mapper.js';

export function ruleToWire(record: RuleRecord): KpiRule {
  const dimensions = record.dimensions as object;
  return {
    rule_id: record.ruleId,
    status: record.status,
    kpi_code: record.kpiCode,
    bucket: record.bucket,
    ...given('scope', record.scope),
    ...given('logical_guid', record.logicalGuid),
    ...given('channel_code', record.channelCode),
    ...(Object.keys(dimensions).length > 0 ? { dimensions } : {}),
    measure: record.measure,
    comparator: record.comparator,
    value: record.threshold,
    ...given('title', record.title),
    request_context: record.requestContext,
    reason: record.reason,
    source_refs: record.sourceRefs,
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    revision: String(record.revision),
  } as unknown as KpiRule;
}
