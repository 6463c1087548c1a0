import {
  Batch,
  Code,
  Flag,
  Id,
  Integer,
  NextToken,
  OneOf,
  OpenObject,
  OpenObjects,
  Part,
  Parts,
  Text,
  Texts,
  UtcTime,
} from '../platform/http/fields.js';
import type { RenderedItems } from '../platform/http/rendered-items.js';
import { PageRequest, RequestContext, SourceRef } from '../platform/http/request.dto.js';

const MAX_BATCH_EVENTS = 1_000;
export const MAX_PUBLISH_BYTES = 8 * 1024 * 1024;
export const MAX_WAIT_MS = 20_000;

export class EventToPublish {
  @Id() event_id!: string;
  @Text({ max: 64, description: 'Who emits it: `[A-Za-z0-9_.:-]`.' }) service!: string;
  @Text({ max: 128, description: 'What happened, such as `order.created`: `[A-Za-z0-9_.:-]`.' }) action!: string;
  @UtcTime({ description: 'With event_id, what makes two events the same one.' }) occurred_at!: string;
  @Text({ max: 256, optional: true, description: 'The facility.' }) logical_guid?: string;
  @Text({ max: 256, optional: true }) channel_code?: string;
  @Code({ optional: true }) cccode?: string;
  @Text({ max: 128, optional: true }) resource_type?: string;
  @Text({ max: 256, optional: true }) resource_id?: string;
  @Text({ max: 256, optional: true, description: 'Events of one key can be delivered in order.' })
  ordering_key?: string;
  @Text({ max: 32, optional: true }) schema_version?: string;
  @Text({ max: 2_000, optional: true }) reason?: string;
  @Parts(() => SourceRef, { maxItems: 100, optional: true }) source_refs?: SourceRef[];
  @OpenObject({ optional: true }) request_context?: object;
  @OpenObject({ optional: true, description: 'Any JSON; as the event type in the catalog has it.' }) payload?: object;
}

export class PublishRequest {
  @Batch(() => EventToPublish, { maxItems: MAX_BATCH_EVENTS }) events!: unknown[];
  @Part(() => RequestContext, { optional: true }) request_context?: RequestContext;
  @Text({ max: 2_000, optional: true, description: 'For events that give none.' }) reason?: string;
  @Parts(() => SourceRef, { maxItems: 100, optional: true }) source_refs?: SourceRef[];
}

export class FieldProblemShape {
  @Text({ max: 256 }) path!: string;
  @Text({ max: 64 }) tag!: string;
}

export class ItemError {
  @Text({ max: 64 }) error_code!: string;
  @Text({ max: 256 }) message!: string;
  @Parts(() => FieldProblemShape, { optional: true }) fields?: FieldProblemShape[];
}

export const PUBLISH_STATUSES = ['accepted', 'duplicate', 'rejected'] as const;

export class PublishedItem {
  @Integer({ min: 0, max: MAX_BATCH_EVENTS }) index!: number;
  @Text({ max: 128, optional: true }) event_id?: string;
  @OneOf(PUBLISH_STATUSES) status!: (typeof PUBLISH_STATUSES)[number];
  @Text({ max: 20, optional: true, description: 'Its place in the log; of a duplicate, the one it has.' })
  position?: string;
  @Flag({ optional: true, description: 'False: older than WEBHOOK_MAX_EVENT_AGE, in the log and not pushed.' })
  pushed?: boolean;
  @Texts({ maxLength: 64, optional: true, description: 'Why the catalog would have liked it otherwise.' })
  flags?: string[];
  @Parts(() => FieldProblemShape, { optional: true }) warnings?: FieldProblemShape[];
  @Part(() => ItemError, { optional: true }) error?: ItemError;
}

export class PublishResult {
  @Integer({ min: 0, max: MAX_BATCH_EVENTS }) accepted!: number;
  @Integer({ min: 0, max: MAX_BATCH_EVENTS }) duplicate!: number;
  @Integer({ min: 0, max: MAX_BATCH_EVENTS }) rejected!: number;
  @Parts(() => PublishedItem, { maxItems: MAX_BATCH_EVENTS }) items!: PublishedItem[];
}

export class CdcListRequest extends PageRequest {
  @Text({ max: 64, optional: true }) service?: string;
  @Text({ max: 256, optional: true }) logical_guid?: string;
  @Text({ max: 256, optional: true }) channel_code?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, inclusive.' }) from_utc?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, exclusive.' }) to_utc?: string;
  @Integer({
    min: 0,
    max: MAX_WAIT_MS,
    optional: true,
    extension: true,
    description: 'At the end of the feed, wait so long for something new.',
  })
  wait_ms?: number;
}

export class CdcStreamRequest {
  @Text({ max: 64, optional: true }) service?: string;
  @Text({ max: 256, optional: true }) logical_guid?: string;
  @Text({ max: 256, optional: true }) channel_code?: string;
  @UtcTime({ optional: true }) from_utc?: string;
  @UtcTime({ optional: true }) to_utc?: string;
  @Text({ max: 512, optional: true, description: '`now` (default), `beginning`, or the id of an event.' })
  from?: string;
}

export class CdcList {
  @OpenObjects({ optional: true }) items!: RenderedItems;
  @NextToken() next_token?: object;
  @Flag({ extension: true, description: 'Whether to ask again at once.' }) has_more!: boolean;
}

export class CdcGetRequest {
  @Text({ max: 20, optional: true }) position?: string;
  @Id({ optional: true }) event_id?: string;
  @UtcTime({ optional: true, description: 'Without it event_id is looked for among recent events only.' })
  occurred_at?: string;
}

export const EVENT_DELIVERY_STATUSES = ['scheduled', 'sending', 'delivered', 'dead', 'held', 'cancelled'] as const;

export class EventDelivery {
  @Id() delivery_id!: string;
  @Id() webhook_id!: string;
  @OneOf(EVENT_DELIVERY_STATUSES) status!: (typeof EVENT_DELIVERY_STATUSES)[number];
  @Integer({ min: 0, max: 32_767 }) attempts!: number;
}

export class CdcGetData {
  @OpenObject() event!: object;
  @Parts(() => EventDelivery, {
    maxItems: 100,
    description: 'To which webhooks it went; webhook/delivery/get says more.',
  })
  deliveries!: EventDelivery[];
}
