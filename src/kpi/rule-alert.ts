import { randomBytes } from 'node:crypto';
import type { NewAlert } from './kpi-alert.repository.js';
import type { RuleRecord } from './kpi-rule.repository.js';
import type { SeriesKey } from './kpi-series.js';
import type { Verdict } from './rule-verdict.js';

/** What a rule says of a bucket of a series. */
export interface RuleVerdict extends Verdict {
  rule: RuleRecord;
  series: bigint;
  key: SeriesKey;
}

export function newAlertOf({ rule, series, key, bucket, measured }: RuleVerdict): NewAlert {
  return {
    alertId: `alert_${randomBytes(12).toString('base64url')}`,
    ruleId: rule.ruleId,
    ruleNo: rule.ruleNo,
    series,
    kpiCode: key.kpiCode,
    measure: rule.measure,
    value: measured ?? bucket.value,
    comparator: rule.comparator,
    threshold: rule.threshold,
    scope: key.scope,
    logicalGuid: key.logicalGuid,
    channelCode: key.channelCode,
    bucket: key.bucket,
    bucketStart: bucket.bucketStart,
    bucketEnd: bucket.bucketEnd,
    dimensions: key.dimensions,
    title: rule.title ?? undefined,
    deliveryStatus: 'not_requested',
    reason: 'A standing rule over the figures of this KPI.',
  };
}
