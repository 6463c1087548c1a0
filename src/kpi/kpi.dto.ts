import {
  Batch,
  FiniteNumber,
  Id,
  Integer,
  NextToken,
  OneOf,
  OpenMap,
  OpenObject,
  Part,
  Parts,
  Revision,
  Text,
  UtcTime,
} from '../platform/http/fields.js';
import { IdempotentWriteRequest, PageRequest, WriteRequest } from '../platform/http/request.dto.js';
import { BUCKETS, type Bucket } from './bucket-time.js';
import { SCOPES, type Scope } from './kpi-series.js';

const MAX_CODE = 128;
const MAX_PLACE = 256;
const MAX_UNIT = 64;
const MAX_BATCH_KPIS = 1_000;
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

export const DEFAULT_SCOPE = {
  optional: true,
  description: '`facility` where logical_guid is given, else `org`.',
} as const;

/** What names a series, and the bucket in it. */
export abstract class KpiBucketFields {
  @Text({ max: MAX_CODE }) kpi_code!: string;
  @Text({ max: MAX_PLACE, optional: true, description: 'The facility.' }) logical_guid?: string;
  @Text({ max: MAX_PLACE, optional: true }) channel_code?: string;
  @OneOf(BUCKETS) bucket!: Bucket;
  @UtcTime() bucket_start!: string;
  @UtcTime({ description: 'The first instant that is not of the bucket any more.' }) bucket_end!: string;
  @OpenMap({ optional: true, description: 'Small and flat; the same ones in another order are the same.' })
  dimensions?: object;
}

/** A figure as it is sent. */
export class KpiFigureFields extends KpiBucketFields {
  @OneOf(SCOPES, DEFAULT_SCOPE) scope?: Scope;
  @Id({ optional: true }) kpi_id?: string;
  @FiniteNumber() value!: number;
  @Text({ max: MAX_UNIT, optional: true }) value_unit?: string;
  @FiniteNumber({ min: 0, optional: true }) sample_count?: number;
  @UtcTime({ optional: true }) computed_at?: string;
}

export class KpiSnapshot extends KpiBucketFields {
  @Id() kpi_id!: string;
  @OneOf(SCOPES) scope!: Scope;
  @FiniteNumber() value!: number;
  @Text({ max: MAX_UNIT, optional: true }) value_unit?: string;
  @FiniteNumber({ optional: true }) sample_count?: number;
  @UtcTime({ optional: true }) computed_at?: string;
  @OpenObject({ optional: true, extension: true }) policy_refs?: object;
  @UtcTime({ optional: true }) created_at!: string;
  @UtcTime({ optional: true }) updated_at!: string;
  @Revision({ optional: true }) revision!: string;
}

const EXPECTED = {
  optional: true,
  extension: true,
  description: 'Needed where the bucket is recorded already: the revision that you read last.',
} as const;

export class KpiRecordRequest extends IdempotentWriteRequest {
  @OpenObject({ optional: true, description: 'The policies that the figure stands on; kept as they are.' })
  policy_refs?: object;
  @Revision(EXPECTED) expected_revision?: string;
  @Part(() => KpiFigureFields) kpi!: KpiFigureFields;
}

export class KpiRecorded {
  @Part(() => KpiSnapshot, { optional: true }) kpi!: KpiSnapshot;
}

export class KpiBatchItem extends KpiFigureFields {
  @OpenObject({ optional: true }) policy_refs?: object;
  @Revision({ ...EXPECTED, extension: false }) expected_revision?: string;
}

export class KpiBatchRequest extends WriteRequest {
  @Batch(() => KpiBatchItem, { maxItems: MAX_BATCH_KPIS }) kpis!: unknown[];
}

export class KpiItemField {
  @Text({ max: 256 }) path!: string;
  @Text({ max: 64 }) tag!: string;
}

export class KpiItemError {
  @Text({ max: 64 }) error_code!: string;
  @Text({ max: 256 }) message!: string;
  @Parts(() => KpiItemField, { optional: true }) fields?: KpiItemField[];
  @Part(() => KpiSnapshot, { optional: true, description: 'The present figure, where the revision was not its own.' })
  conflict_snapshot?: KpiSnapshot;
}

const ITEM_STATUSES = ['recorded', 'revised', 'rejected'] as const;

export class KpiBatchResultItem {
  @Integer({ min: 0, max: MAX_BATCH_KPIS }) index!: number;
  @OneOf(ITEM_STATUSES) status!: (typeof ITEM_STATUSES)[number];
  @Id({ optional: true }) kpi_id?: string;
  @Revision({ optional: true }) revision?: string;
  @Part(() => KpiItemError, { optional: true }) error?: KpiItemError;
}

export class KpiBatchResult {
  @Integer({ min: 0, max: MAX_BATCH_KPIS }) recorded!: number;
  @Integer({ min: 0, max: MAX_BATCH_KPIS }) revised!: number;
  @Integer({ min: 0, max: MAX_BATCH_KPIS }) rejected!: number;
  @Parts(() => KpiBatchResultItem, { maxItems: MAX_BATCH_KPIS }) items!: KpiBatchResultItem[];
}

export class KpiQueryRequest extends PageRequest {
  @Text({ max: MAX_CODE }) kpi_code!: string;
  @OneOf(SCOPES, DEFAULT_SCOPE) scope?: Scope;
  @Text({ max: MAX_PLACE, optional: true }) logical_guid?: string;
  @Text({ max: MAX_PLACE, optional: true, description: 'Absent: of any channel and of none.' }) channel_code?: string;
  @OneOf(BUCKETS) bucket!: Bucket;
  @UtcTime({ description: 'Buckets that start then or later…' }) from_utc!: string;
  @UtcTime({ description: '…and before then.' }) to_utc!: string;
  @OpenMap({ optional: true, description: 'Figures that have these, whatever others they have.' })
  dimensions?: object;
}

export class KpiSeries {
  @Parts(() => KpiSnapshot, { optional: true }) series!: KpiSnapshot[];
  @NextToken() next_token?: object;
}
