import type { KpiSnapshot } from './kpi.dto.js';
import type { SeriesKey } from './kpi-series.js';
import type { SeriesSnapshot, SnapshotRecord } from './kpi-snapshot.repository.js';

/** Whole seconds without a fraction, as bounds of buckets are written. */
export function timeToWire(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z');
}

export function snapshotToWire(
  record: Omit<SnapshotRecord, 'series'>,
  { kpiCode, bucket, scope, logicalGuid, channelCode, dimensions }: SeriesKey,
): KpiSnapshot {
  return {
    kpi_id: record.kpiId,
    kpi_code: kpiCode,
    scope,
    ...given('logical_guid', logicalGuid),
    ...given('channel_code', channelCode),
    bucket,
    bucket_start: timeToWire(record.bucketStart),
    bucket_end: timeToWire(record.bucketEnd),
    value: record.value,
    ...given('value_unit', record.valueUnit),
    ...given('sample_count', record.sampleCount),
    ...(Object.keys(dimensions).length > 0 ? { dimensions } : {}),
    ...(record.computedAt ? { computed_at: timeToWire(record.computedAt) } : {}),
    ...given('policy_refs', record.policyRefs as object | null),
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    revision: String(record.revision),
  };
}

/** Of a list, whose rows name their series. */
export function listedToWire(row: SeriesSnapshot): KpiSnapshot {
  return snapshotToWire(row, seriesIn(row));
}

/** '' is "none" in the table. */
export function seriesIn(
  row: Pick<SeriesSnapshot, 'kpiCode' | 'bucket' | 'scope' | 'logicalGuid' | 'channelCode' | 'dimensions'>,
): SeriesKey {
  return { ...row, logicalGuid: row.logicalGuid || undefined, channelCode: row.channelCode || undefined };
}

export function given<Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): Partial<Record<Name, NonNullable<Value>>> {
  return value === null || value === undefined ? {} : ({ [name]: value } as Partial<Record<Name, NonNullable<Value>>>);
}
