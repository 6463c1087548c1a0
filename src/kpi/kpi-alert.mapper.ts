import type { KpiAlert } from './kpi-alert.dto.js';
import type { AlertRecord } from './kpi-alert.repository.js';
import { given, timeToWire } from './kpi.mapper.js';

export function alertToWire(record: AlertRecord): KpiAlert {
  const dimensions = record.dimensions as object;
  return {
    alert_id: record.alertId,
    kpi_code: record.kpiCode,
    value: record.value,
    threshold: { comparator: record.comparator, value: record.threshold },
    scope: record.scope,
    ...given('logical_guid', record.logicalGuid),
    ...given('channel_code', record.channelCode),
    bucket: record.bucket,
    bucket_start: timeToWire(record.bucketStart),
    bucket_end: timeToWire(record.bucketEnd),
    ...(Object.keys(dimensions).length > 0 ? { dimensions } : {}),
    ...given('title', record.title),
    ...given('body', record.body),
    ...given('team_guid', record.teamGuid),
    ...given('inbox_service', record.inboxService),
    ...given('inbox_notification_id', record.inboxNotificationId),
    delivery_status: record.deliveryStatus,
    ...given('delivery_error', record.deliveryError),
    ...given('rule_id', record.ruleId),
    ...(record.ruleId === null ? {} : { measure: record.measure }),
    ...given('cleared_at', record.clearedAt?.toISOString()),
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    revision: String(record.revision),
  } as KpiAlert;
}
