import { Id, Integer, OneOf, OpenMap, Part, Text, UtcTime } from '../platform/http/fields.js';
import { WriteRequest } from '../platform/http/request.dto.js';
import { AGGREGATES, type Aggregate } from './rollup.js';
import { DEFAULT_SCOPE } from './kpi.dto.js';
import { SCOPES, type Scope } from './kpi-series.js';

const FROM_BUCKETS = ['hourly', 'daily'] as const;
const TO_BUCKETS = ['daily', 'monthly'] as const;
const ROLLUP_STATUSES = ['queued', 'running', 'completed'] as const;
const MAX_COUNT = 2 ** 31 - 1;

/** Which figures become which. */
abstract class KpiRollupFields {
  @Text({ max: 128 }) kpi_code!: string;
  @Text({ max: 256, optional: true }) logical_guid?: string;
  @Text({ max: 256, optional: true, description: 'Absent: each channel by itself.' }) channel_code?: string;
  @OpenMap({ optional: true, description: 'Series that have these; each is rolled up by itself.' }) dimensions?: object;
  @OneOf(FROM_BUCKETS) from_bucket!: (typeof FROM_BUCKETS)[number];
  @OneOf(TO_BUCKETS, { description: "By the organisation's calendar." }) to_bucket!: (typeof TO_BUCKETS)[number];
  @OneOf(AGGREGATES, { description: '`last` in time; `weighted` is the average by sample_count.' })
  aggregate!: Aggregate;
  @UtcTime({ description: 'Buckets that start then or later…' }) from_utc!: string;
  @UtcTime({ description: '…and before then.' }) to_utc!: string;
}

export class KpiRollupToDo extends KpiRollupFields {
  @OneOf(SCOPES, DEFAULT_SCOPE) scope?: Scope;
  @Text({ max: 128, optional: true, description: 'The code of the results; the same unless given.' })
  into_kpi_code?: string;
}

export class KpiRollupRequest extends WriteRequest {
  @Id({ optional: true }) rollup_id?: string;
  @Part(() => KpiRollupToDo) rollup!: KpiRollupToDo;
}

export class KpiRollup extends KpiRollupFields {
  @Id() rollup_id!: string;
  @OneOf(SCOPES) scope!: Scope;
  @Text({ max: 128 }) into_kpi_code!: string;
  @OneOf(ROLLUP_STATUSES) status!: (typeof ROLLUP_STATUSES)[number];
  @Integer({ min: 0, max: MAX_COUNT }) recorded!: number;
  @Integer({ min: 0, max: MAX_COUNT }) revised!: number;
  @Integer({ min: 0, max: MAX_COUNT, description: 'They were there with that value.' }) unchanged!: number;
  @Integer({ min: 0, max: MAX_COUNT, description: 'Nothing to weigh by, or a result that no number holds.' })
  left_out!: number;
  @Integer({ min: 1, max: MAX_COUNT, optional: true }) operation_run_id?: number;
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
}

export class KpiRollupData {
  @Part(() => KpiRollup) rollup!: KpiRollup;
}

export class KpiRollupGetRequest {
  @Id() rollup_id!: string;
}
