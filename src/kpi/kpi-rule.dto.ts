import {
  FiniteNumber,
  Id,
  NextToken,
  OneOf,
  OpenMap,
  Part,
  Parts,
  Revision,
  Text,
  UtcTime,
} from '../platform/http/fields.js';
import { PageRequest, RequestContext, SourceRef, WriteRequest } from '../platform/http/request.dto.js';
import { BUCKETS, type Bucket } from './bucket-time.js';
import type { KpiRuleStatus } from './kpi-rule-lifecycle.js';
import { SCOPES, type Scope } from './kpi-series.js';
import { MEASURES, type Measure } from './rule-verdict.js';
import { COMPARATORS, type Comparator } from './threshold.js';

const RULE_STATUSES = ['active', 'paused'] as const;

/** What a rule watches and what it asks; what is absent of place and dimensions is any. */
abstract class KpiRuleFields {
  @Text({ max: 128 }) kpi_code!: string;
  @OneOf(BUCKETS) bucket!: Bucket;
  @OneOf(SCOPES, { optional: true }) scope?: Scope;
  @Text({ max: 256, optional: true }) logical_guid?: string;
  @Text({ max: 256, optional: true }) channel_code?: string;
  @OpenMap({ optional: true, description: 'Figures that have these, whatever others they have.' }) dimensions?: object;
  @Text({ max: 256, optional: true, description: 'Of the alerts that it raises.' }) title?: string;
  @FiniteNumber({ description: 'Of the figure, of its change in percent, or minutes after the end of the bucket.' })
  value!: number;
}

export class KpiRuleToCreate extends KpiRuleFields {
  @OneOf(MEASURES, {
    optional: true,
    description:
      '`value` unless given; `change_percent` is against the bucket before; `minutes_missing`: the bucket did not come.',
  })
  measure?: Measure;
  @OneOf(COMPARATORS, { optional: true, description: 'Needed unless the bucket itself is what is missing.' })
  comparator?: Comparator;
}

export class KpiRule extends KpiRuleFields {
  @Id() rule_id!: string;
  @OneOf(RULE_STATUSES) status!: KpiRuleStatus;
  @OneOf(MEASURES) measure!: Measure;
  @OneOf(COMPARATORS) comparator!: Comparator;
  @Part(() => RequestContext) request_context!: RequestContext;
  @Text({ max: 2_000 }) reason!: string;
  @Parts(() => SourceRef) source_refs!: SourceRef[];
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
  @Revision() revision!: string;
}

export class KpiRuleCreateRequest extends WriteRequest {
  @Id({ optional: true }) rule_id?: string;
  @Part(() => KpiRuleToCreate) rule!: KpiRuleToCreate;
}

export class KpiRuleStatusSetRequest extends WriteRequest {
  @Id() rule_id!: string;
  @OneOf(RULE_STATUSES) status!: KpiRuleStatus;
  @Revision() expected_revision!: string;
}

export class KpiRuleDeleteRequest extends WriteRequest {
  @Id() rule_id!: string;
  @Revision() expected_revision!: string;
}

export class KpiRuleData {
  @Part(() => KpiRule) rule!: KpiRule;
}

export class KpiRuleListRequest extends PageRequest {
  @Text({ max: 128, optional: true }) kpi_code?: string;
}

export class KpiRuleList {
  @Parts(() => KpiRule) items!: KpiRule[];
  @NextToken() next_token?: object;
}
