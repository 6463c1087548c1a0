import type { OwnEvent } from '../cdc/own-events.service.js';
import type { AlertRecord } from './kpi-alert.repository.js';
import { given, timeToWire } from './kpi.mapper.js';

/** What IPM says of alerts, as catalog/events/ipm describes it. */
export function alertRaised(alert: AlertRecord): OwnEvent {
  const isMissing = alert.measure === 'minutes_missing';
  return {
    ...aboutAlert(alert),
    action: 'kpi.alert_raised',
    payload: {
      ...identityOf(alert),
      measure: alert.measure,
      ...(isMissing ? {} : { value: alert.value }),
      threshold: { comparator: alert.comparator, value: alert.threshold },
      ...placeOf(alert),
      dimensions: alert.dimensions,
      ...given('title', alert.title),
    },
  };
}

/** `value` is that of the bucket that is within its threshold again. */
export function alertCleared(alert: AlertRecord, value: number): OwnEvent {
  return {
    ...aboutAlert(alert),
    action: 'kpi.alert_cleared',
    payload: {
      ...identityOf(alert),
      value,
      ...placeOf(alert),
      raised_at: alert.createdAt.toISOString(),
    },
  };
}

function aboutAlert({ alertId, logicalGuid, channelCode }: AlertRecord): Omit<OwnEvent, 'action' | 'payload'> {
  return {
    resource: { type: 'kpi_alert', id: alertId },
    ...given('logical_guid', logicalGuid),
    ...given('channel_code', channelCode),
  };
}

function identityOf({ alertId, ruleId, kpiCode }: AlertRecord): object {
  return { alert_id: alertId, ...given('rule_id', ruleId), kpi_code: kpiCode };
}

function placeOf({ scope, bucket, bucketStart, bucketEnd }: AlertRecord): object {
  return { scope, bucket, bucket_start: timeToWire(bucketStart), bucket_end: timeToWire(bucketEnd) };
}
