import {
  FiniteNumber,
  Flag,
  Id,
  NextToken,
  OneOf,
  OpenObject,
  Part,
  Parts,
  Revision,
  Text,
  UtcTime,
} from '../platform/http/fields.js';
import { IdempotentWriteRequest, PageRequest } from '../platform/http/request.dto.js';
import type { KpiAlertDeliveryStatus } from './kpi-alert-lifecycle.js';
import { DEFAULT_SCOPE, KpiBucketFields } from './kpi.dto.js';
import { SCOPES, type Scope } from './kpi-series.js';
import { MEASURES, type Measure } from './rule-verdict.js';
import { COMPARATORS, type Comparator } from './threshold.js';

export const INBOX_SERVICES = ['scm', 'ics', 'pcm'] as const;
export type InboxService = (typeof INBOX_SERVICES)[number];

const PRIORITIES = ['low', 'medium', 'high', 'show_stopper'] as const;
const NOTIFICATION_STATUSES = ['inbox', 'archived'] as const;
const NOTIFICATION_STATES = ['pending', 'completed', 'deferred'] as const;
const MAX_TITLE = 256;
const MAX_BODY = 8_000;
const MAX_TEAM = 256;

export class KpiThreshold {
  @OneOf(COMPARATORS) comparator!: Comparator;
  @FiniteNumber() value!: number;
}

/** An alert as it is sent, with what the inbox is to be told. */
export class KpiAlertFields extends KpiBucketFields {
  @Id({ optional: true }) alert_id?: string;
  @OneOf(SCOPES, DEFAULT_SCOPE) scope?: Scope;
  @FiniteNumber() value!: number;
  @Part(() => KpiThreshold) threshold!: KpiThreshold;
  @Text({ max: MAX_TITLE, optional: true }) title?: string;
  @Text({ max: MAX_BODY, optional: true }) body?: string;
  @Text({ max: MAX_TEAM, optional: true }) team_guid?: string;
  @OneOf(INBOX_SERVICES, { optional: true }) inbox_service?: InboxService;
  @Flag({
    optional: true,
    description: 'True: the inbox service gets a notification, and is asked again until it has it.',
  })
  deliver_to_inbox?: boolean;
  @Id({ optional: true, description: 'The alert_id unless given.' }) notification_id?: string;
  @OneOf(PRIORITIES, { optional: true }) priority?: (typeof PRIORITIES)[number];
  @UtcTime({ optional: true }) act_by?: string;
  @OneOf(NOTIFICATION_STATUSES, { optional: true }) status?: (typeof NOTIFICATION_STATUSES)[number];
  @OneOf(NOTIFICATION_STATES, { optional: true }) state?: (typeof NOTIFICATION_STATES)[number];
}

export class KpiAlertRequest extends IdempotentWriteRequest {
  @Part(() => KpiAlertFields) alert!: KpiAlertFields;
}

export class KpiAlert extends KpiBucketFields {
  @Id() alert_id!: string;
  @FiniteNumber() value!: number;
  @Part(() => KpiThreshold) threshold!: KpiThreshold;
  @OneOf(SCOPES) scope!: Scope;
  @Text({ max: MAX_TITLE, optional: true }) title?: string;
  @Text({ max: MAX_BODY, optional: true }) body?: string;
  @Text({ max: MAX_TEAM, optional: true }) team_guid?: string;
  @OneOf(INBOX_SERVICES, { optional: true }) inbox_service?: InboxService;
  @Text({ max: 256, optional: true }) inbox_notification_id?: string;
  @Text({ max: 32, optional: true, description: 'not_requested, not_configured, pending, delivered or failed.' })
  delivery_status!: KpiAlertDeliveryStatus;
  @OpenObject({ optional: true, description: 'Why the last attempt failed.' }) delivery_error?: object;
  @Id({ optional: true, extension: true, description: 'The standing rule that raised it.' }) rule_id?: string;
  @OneOf(MEASURES, {
    optional: true,
    extension: true,
    description:
      'What value and threshold are of: the figure, its change in percent, or the minutes that it is missing.',
  })
  measure?: Measure;
  @UtcTime({ optional: true, extension: true, description: 'Since then the KPI is within the threshold of its rule.' })
  cleared_at?: string;
  @UtcTime({ optional: true }) created_at!: string;
  @UtcTime({ optional: true }) updated_at!: string;
  @Revision({ optional: true }) revision!: string;
}

export class KpiAlertData {
  @Part(() => KpiAlert, { optional: true }) alert!: KpiAlert;
}

export class KpiAlertGetRequest {
  @Id() alert_id!: string;
}

export class KpiAlertListRequest extends PageRequest {
  @Text({ max: 128, optional: true }) kpi_code?: string;
  @Id({ optional: true }) rule_id?: string;
}

export class KpiAlertList {
  @Parts(() => KpiAlert) items!: KpiAlert[];
  @NextToken() next_token?: object;
}
