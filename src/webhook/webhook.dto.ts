import {
  Flag,
  Id,
  Integer,
  Integers,
  Limit,
  NextToken,
  OneOf,
  OpenObject,
  Part,
  Parts,
  Ratio,
  Revision,
  Text,
  TextMap,
  Texts,
  UtcTime,
} from '../platform/http/fields.js';
import { PageRequest, RequestContext, SourceRef, WriteRequest } from '../platform/http/request.dto.js';
import type { WebhookStatus } from './webhook-lifecycle.js';

type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];
type Ordering = (typeof ORDERINGS)[number];

const WEBHOOK_STATUSES = ['active', 'paused', 'revoked'] as const;
const SIGNING_ALGORITHMS = ['hmac-sha256'] as const;
const PAYLOAD_FORMATS = ['envelope', 'cloudevents', 'event'] as const;
const ORDERINGS = ['parallel', 'key'] as const;
const MAX_FILTERS = 50;
const MAX_COUNT = 2 ** 31 - 1;
const MAX_ATTEMPTS = 20;

const EXTENSION = { optional: true, extension: true } as const;
const SETTING = { ...EXTENSION, nullable: true } as const;

export class WebhookFilter {
  @Text({ max: 64, description: 'Exact, or `*` for all services.' }) service!: string;
  @Texts({ maxLength: 128, optional: true, description: 'Exact, or `order.*` for all below; empty for any.' })
  actions?: string[];
  @Texts({ maxLength: 256, optional: true }) channel_codes?: string[];
  @Texts({ maxLength: 256, optional: true }) logical_guids?: string[];
  @OpenObject({
    optional: true,
    extension: true,
    description: 'What the payload must be: `{"field": "total", "gte": 100}`, and `and`, `or`, `not` of such.',
  })
  payload_filter?: object;
}

export class WebhookAutoPause {
  @Flag({ optional: true, description: 'True, and nothing else: however often it fails.' }) never?: boolean;
  @Integer({ min: 1, max: 100_000, optional: true, description: 'Failures in a row…' }) failures?: number;
  @Integer({ min: 0, max: 2_592_000, optional: true, description: '…over at least so many seconds.' })
  after_seconds?: number;
}

export class WebhookLastError {
  @Text({ max: 64, optional: true }) error_tag?: string;
  @Integer({ min: 100, max: 599, optional: true }) http_status?: number;
}

export class WebhookDeliveryCounts {
  @Integer({ min: 0, max: MAX_COUNT }) delivered!: number;
  @Integer({ min: 0, max: MAX_COUNT, description: 'Calls that failed, the last ones of the dead included.' })
  failed!: number;
  @Integer({ min: 0, max: MAX_COUNT }) dead!: number;
  @Ratio({ optional: true, description: 'Of calls; absent where there was none.' }) success_ratio?: number;
  @Integer({
    min: 0,
    max: MAX_COUNT,
    optional: true,
    description: 'So old at most were 95 of 100 events at their delivery.',
  })
  p95_age_ms?: number;
}

export class WebhookDeliveries {
  @Part(() => WebhookDeliveryCounts) hour!: WebhookDeliveryCounts;
  @Part(() => WebhookDeliveryCounts) day!: WebhookDeliveryCounts;
}

export class WebhookGap {
  @Text({ max: 20 }) after_position!: string;
  @Text({ max: 20 }) to_position!: string;
}

export class WebhookBacklog {
  @Integer({ min: 0, max: 100_000, description: 'Deliveries that wait; 100,000 is so many or more.' }) due!: number;
  @UtcTime({ optional: true }) oldest_due_at?: string;
  @Parts(() => WebhookGap, {
    maxItems: MAX_COUNT,
    description: 'What it missed while paused and has not caught up with.',
  })
  gaps!: WebhookGap[];
}

export interface WebhookFiguresShown {
  deliveries: WebhookDeliveries;
  backlog: WebhookBacklog;
}

export class Webhook {
  @Id() webhook_id!: string;
  @Text({ max: 64 }) orgcode!: string;
  @Text({ max: 256, optional: true }) caption?: string;
  @Text({ max: 2_048 }) endpoint_url!: string;
  @OneOf(WEBHOOK_STATUSES) status!: WebhookStatus;
  @Parts(() => WebhookFilter, { maxItems: MAX_FILTERS }) event_filters!: WebhookFilter[];
  @TextMap({ optional: true, description: 'Sent with each call; values of credentials are masked.' })
  headers?: Record<string, string>;
  @OneOf(SIGNING_ALGORITHMS) signing_algorithm!: 'hmac-sha256';
  @Text({ max: 4 }) secret_last4!: string;
  @Part(() => RequestContext, { optional: true }) request_context?: RequestContext;
  @Text({ max: 2_000, optional: true }) reason?: string;
  @Parts(() => SourceRef, { optional: true }) source_refs?: SourceRef[];
  @Part(() => RequestContext, { optional: true }) status_request_context?: RequestContext;
  @Text({ max: 2_000, optional: true }) status_reason?: string;
  @Parts(() => SourceRef, { optional: true }) status_source_refs?: SourceRef[];
  @Integer({ min: 0, max: 2 ** 31 - 1, optional: true }) consecutive_failures?: number;
  @UtcTime({ optional: true }) last_success_at?: string;
  @UtcTime({ optional: true }) last_failure_at?: string;
  @Part(() => WebhookLastError, { optional: true }) last_error?: WebhookLastError;
  @Integer({ min: 100, max: 30_000, ...EXTENSION }) timeout_ms?: number;
  @OneOf(PAYLOAD_FORMATS, EXTENSION) payload_format?: PayloadFormat;
  @Integer({ min: 1, max: 10_000, ...EXTENSION }) rate_limit?: number;
  @Integers({ min: 0, max: 86_400, maxItems: MAX_ATTEMPTS, ...EXTENSION }) retry_schedule?: number[];
  @OneOf(ORDERINGS, EXTENSION) ordering?: Ordering;
  @Integer({ min: 1, max: MAX_ATTEMPTS, ...EXTENSION }) ordering_skip_after?: number;
  @Part(() => WebhookAutoPause, EXTENSION) auto_pause?: WebhookAutoPause;
  @UtcTime({ ...EXTENSION, description: 'Until then the secret before this one signs too.' })
  previous_secret_expires_at?: string;
  @UtcTime({
    ...EXTENSION,
    description: 'While it is paused: events recorded from then on were dropped by retention before it got them.',
  })
  backlog_lost_from?: string;
  @Part(() => WebhookDeliveries, { ...EXTENSION, description: 'Lately; in webhook/get.' })
  deliveries?: WebhookDeliveries;
  @Part(() => WebhookBacklog, { ...EXTENSION, description: 'In webhook/get.' }) backlog?: WebhookBacklog;
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
  @Revision() revision!: string;
}

export class WebhookCreated extends Webhook {
  @Text({ max: 128, optional: true, description: 'Shown this once.' }) signing_secret!: string;
}

/** How it is sent to; null, as absence at creation, is the default. */
export abstract class WebhookSettingsRequest extends WriteRequest {
  @Integer({ min: 100, max: 30_000, ...SETTING, description: 'For one call; 15,000 unless given.' })
  timeout_ms?: number | null;
  @OneOf(PAYLOAD_FORMATS, SETTING) payload_format?: PayloadFormat | null;
  @Integer({ min: 1, max: 10_000, ...SETTING, description: 'Calls a second; null for no limit.' })
  rate_limit?: number | null;
  @Integers({
    min: 0,
    max: 86_400,
    maxItems: MAX_ATTEMPTS,
    ...SETTING,
    description: 'Seconds before each attempt, the first included.',
  })
  retry_schedule?: number[] | null;
  @OneOf(ORDERINGS, { ...SETTING, description: '`key`: one at a time for each ordering key.' })
  ordering?: Ordering | null;
  @Integer({
    min: 1,
    max: MAX_ATTEMPTS,
    ...SETTING,
    description: 'With `key`: after so many attempts the next of the key goes on; null: when all have failed.',
  })
  ordering_skip_after?: number | null;
  @Part(() => WebhookAutoPause, SETTING) auto_pause?: WebhookAutoPause | null;
}

export class WebhookCreateRequest extends WebhookSettingsRequest {
  @Id({ optional: true }) webhook_id?: string;
  @Text({ max: 256, optional: true }) caption?: string;
  @Text({ max: 2_048 }) endpoint_url!: string;
  @OneOf(WEBHOOK_STATUSES, { optional: true }) status?: WebhookStatus;
  @Parts(() => WebhookFilter, { maxItems: MAX_FILTERS }) event_filters!: WebhookFilter[];
  @TextMap({ optional: true }) headers?: Record<string, string>;
}

/** What is absent stays as it is. */
export class WebhookUpdateRequest extends WebhookSettingsRequest {
  @Id() webhook_id!: string;
  @Revision() expected_revision!: string;
  @Text({ max: 256, optional: true, nullable: true }) caption?: string | null;
  @Text({ max: 2_048, optional: true }) endpoint_url?: string;
  @Parts(() => WebhookFilter, { maxItems: MAX_FILTERS, optional: true }) event_filters?: WebhookFilter[];
  @TextMap({ optional: true, nullable: true, description: 'All of them; null for none.' })
  headers?: Record<string, string> | null;
}

export class WebhookSecretRotateRequest extends WriteRequest {
  @Id() webhook_id!: string;
  @Revision() expected_revision!: string;
  @Integer({
    min: 0,
    max: 604_800,
    optional: true,
    description: 'For so long the secret so far signs beside the new one; 86,400 unless given.',
  })
  overlap_seconds?: number;
  @Flag({ optional: true, description: 'True: no new secret; the previous one ends now.' })
  expire_previous?: boolean;
}

export class WebhookSecretRotated extends Webhook {
  @Text({ max: 128, optional: true, description: 'The new one, shown this once.' }) signing_secret?: string;
}

export class WebhookFilterTestRequest {
  @Parts(() => WebhookFilter, { maxItems: MAX_FILTERS, optional: true }) event_filters?: WebhookFilter[];
  @Id({ optional: true, description: 'Instead of filters: those of this webhook.' }) webhook_id?: string;
  @UtcTime({ optional: true, description: 'Nothing that occurred before then is looked at.' }) from_utc?: string;
  @Limit() limit?: number;
}

export class WebhookFilterMatch {
  @Id() event_id!: string;
  @Text({ max: 64 }) service!: string;
  @Text({ max: 128 }) action!: string;
  @UtcTime() occurred_at!: string;
  @Text({ max: 20 }) position!: string;
}

export class WebhookFilterTested {
  @Integer({ min: 0, max: 1_000, description: 'Newest events that were tried.' }) looked_at!: number;
  @Integer({ min: 0, max: 1_000 }) matched!: number;
  @Parts(() => WebhookFilterMatch, { description: 'The newest of those that matched, newest first.' })
  items!: WebhookFilterMatch[];
}

export class WebhookGetRequest {
  @Id() webhook_id!: string;
}

export class WebhookData {
  @Part(() => Webhook, { optional: true }) webhook!: Webhook;
}

export class WebhookListRequest extends PageRequest {
  @OneOf(WEBHOOK_STATUSES, { optional: true, extension: true }) status?: WebhookStatus;
}

export class WebhookList {
  @Parts(() => Webhook, { optional: true }) items!: Webhook[];
  @NextToken() next_token?: object;
}

export class WebhookStatusSetRequest extends WriteRequest {
  @Id() webhook_id!: string;
  @OneOf(WEBHOOK_STATUSES) status!: WebhookStatus;
  @Revision() expected_revision!: string;
  @Flag({
    optional: true,
    extension: true,
    description:
      'False: everything published up to now that it has not been sent and is not queued for it is left out.',
  })
  catch_up?: boolean;
}
