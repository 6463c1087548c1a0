import { OneOf, Text, TextOfForm, UtcTime } from '../platform/http/fields.js';
import { BUCKETS, type Bucket } from './bucket-time.js';
import { DEFAULT_SCOPE } from './kpi.dto.js';
import { SCOPES, type Scope } from './kpi-series.js';

/** As kpi/query, in an address. */
export class KpiChartRequest {
  @Text({ max: 128 }) kpi_code!: string;
  @OneOf(SCOPES, DEFAULT_SCOPE) scope?: Scope;
  @Text({ max: 256, optional: true }) logical_guid?: string;
  @Text({ max: 256, optional: true }) channel_code?: string;
  @OneOf(BUCKETS) bucket!: Bucket;
  @UtcTime() from_utc!: string;
  @UtcTime() to_utc!: string;
  @Text({ max: 4_096, optional: true, description: 'As JSON: `{"department": "apparel"}`.' }) dimensions?: string;
  @TextOfForm(/^-?\d{1,9}$/, 'not_an_integer', { optional: true, description: 'Figures; 2,000 at most.' })
  limit?: string;
  @Text({ max: 512, optional: true, description: 'The `token` of a page of kpi/query with the same filters.' })
  next_token?: string;
}
