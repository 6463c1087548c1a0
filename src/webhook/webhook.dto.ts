import {
  Flag,
  Id,
  Integer,
  NextToken,
  OneOf,
  OpenObject,
  Part,
  Parts,
  Revision,
  Text,
  TextMap,
  Texts,
  UtcTime,
} from '../platform/http/fields.js';
import { PageRequest, RequestContext, SourceRef, WriteRequest } from '../platform/http/request.dto.js';
import type { WebhookStatus } from './webhook-lifecycle.js';

const WEBHOOK_STATUSES = ['active', 'paused', 'revoked'] as const;
const SIGNING_ALGORITHMS = ['hmac-sha256'] as const;
const MAX_FILTERS = 50;

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

export class WebhookLastError {
  @Text({ max: 64, optional: true }) error_tag?: string;
  @Integer({ min: 100, max: 599, optional: true }) http_status?: number;
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
  @Integer({ min: 100, max: 30_000, optional: true, extension: true }) timeout_ms?: number;
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
  @Revision() revision!: string;
}

export class WebhookCreated extends Webhook {
  @Text({ max: 128, optional: true, description: 'Shown this once.' }) signing_secret!: string;
}

export class WebhookCreateRequest extends WriteRequest {
  @Id({ optional: true }) webhook_id?: string;
  @Text({ max: 256, optional: true }) caption?: string;
  @Text({ max: 2_048 }) endpoint_url!: string;
  @OneOf(WEBHOOK_STATUSES, { optional: true }) status?: WebhookStatus;
  @Parts(() => WebhookFilter, { maxItems: MAX_FILTERS }) event_filters!: WebhookFilter[];
  @TextMap({ optional: true }) headers?: Record<string, string>;
  @Integer({
    min: 100,
    max: 30_000,
    optional: true,
    extension: true,
    description: 'For one call; 15,000 unless given.',
  })
  timeout_ms?: number;
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
  @Flag({ optional: true, extension: true, description: 'False: what was missed while it was paused is left out.' })
  catch_up?: boolean;
}
