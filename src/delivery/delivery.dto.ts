import { Flag, Id, Integer, NextToken, OneOf, Part, Parts, Text, TextMap, UtcTime } from '../platform/http/fields.js';
import { PageRequest, WriteRequest } from '../platform/http/request.dto.js';
import type { DeliveryStatus } from './delivery-lifecycle.js';

const DELIVERY_STATUSES = ['scheduled', 'sending', 'delivered', 'dead', 'held', 'cancelled'] as const;
const MAX_COUNT = 2 ** 31 - 1;
const OPTIONAL = { optional: true } as const;

export class DeliveryListRequest extends PageRequest {
  @Id() webhook_id!: string;
  @OneOf(DELIVERY_STATUSES, OPTIONAL) status?: DeliveryStatus;
  @UtcTime({ optional: true, description: 'On created_at, inclusive.' }) from_utc?: string;
  @UtcTime({ optional: true, description: 'On created_at, exclusive.' }) to_utc?: string;
  @Id({ optional: true, description: 'Of this event only.' }) event_id?: string;
  @UtcTime({ optional: true, description: 'Without it event_id is looked for among recent events only.' })
  occurred_at?: string;
}

export class DeliveredEvent {
  @Text({ max: 20, description: 'Its place in the log.' }) position!: string;
  @Id({ optional: true, description: 'This and the rest are absent where retention has taken the event.' })
  event_id?: string;
  @Text({ max: 64, optional: true }) service?: string;
  @Text({ max: 128, optional: true }) action?: string;
  @UtcTime(OPTIONAL) occurred_at?: string;
}

export class Delivery {
  @Id() delivery_id!: string;
  @Id() webhook_id!: string;
  @Part(() => DeliveredEvent) event!: DeliveredEvent;
  @Flag({ description: 'Sent once more by a replay.' }) is_replay!: boolean;
  @OneOf(DELIVERY_STATUSES, { description: '`held`: scheduled, and its webhook is paused.' }) status!: DeliveryStatus;
  @Integer({ min: 0, max: 32_767 }) attempts!: number;
  @Integer({ min: 100, max: 999, optional: true, description: 'This and the next two: of the last attempt.' })
  http_status?: number;
  @Text({ max: 64, optional: true }) error_tag?: string;
  @Integer({ min: 0, max: MAX_COUNT, optional: true }) duration_ms?: number;
  @Text({
    max: 64,
    optional: true,
    description: 'Why it is dead or cancelled; `retried` since it was retried by hand.',
  })
  reason?: string;
  @UtcTime() created_at!: string;
  @UtcTime(OPTIONAL) last_attempt_at?: string;
  @UtcTime({ optional: true, description: 'Not before then.' }) next_attempt_at?: string;
}

export class DeliveryList {
  @Parts(() => Delivery) items!: Delivery[];
  @NextToken() next_token?: object;
  @Flag({ description: 'Whether there is more; a page may be short, or empty, and not the last.' }) has_more!: boolean;
}

export class DeliveryGetRequest {
  @Text({ max: 128 }) delivery_id!: string;
}

export class DeliveryAttempt {
  @Integer({ min: 1, max: 32_767 }) attempt!: number;
  @UtcTime() at!: string;
  @Integer({ min: 0, max: MAX_COUNT }) duration_ms!: number;
  @Integer({ min: 100, max: 999, optional: true }) http_status?: number;
  @Text({ max: 64, optional: true }) error_tag?: string;
  @Text({ max: 2_048, optional: true, description: 'The beginning of the answer, of failed attempts.' })
  excerpt?: string;
}

export class DeliveryGetData {
  @Part(() => Delivery) delivery!: Delivery;
  @Parts(() => DeliveryAttempt, { description: 'Oldest first.' }) attempts!: DeliveryAttempt[];
}

export class DeliveryRetryRequest extends WriteRequest {
  @Text({ max: 128 }) delivery_id!: string;
}

export class DeliveryData {
  @Part(() => Delivery) delivery!: Delivery;
}

export class TestedEvent {
  @Text({ max: 64 }) service!: string;
  @Text({ max: 128 }) action!: string;
}

export class WebhookTestRequest {
  @Id() webhook_id!: string;
  @Part(() => TestedEvent, {
    optional: true,
    description: 'Whose specimen of the catalog is sent; one of ours unless given.',
  })
  event?: TestedEvent;
}

export class TestedRequest {
  @Text({ max: 2_048 }) url!: string;
  @TextMap({ description: 'As sent, without the signature; values of credentials are masked.' })
  headers!: Record<string, string>;
  @Text({ max: 1_048_576, description: 'To the byte.' }) body!: string;
}

export class WebhookTested {
  @Flag({ description: 'It was answered with 2xx.' }) delivered!: boolean;
  @Integer({ min: 100, max: 999, optional: true }) http_status?: number;
  @Text({ max: 64, optional: true }) error_tag?: string;
  @Integer({ min: 0, max: MAX_COUNT }) duration_ms!: number;
  @Text({ max: 2_048, min: 0, optional: true, description: 'The beginning of the answer.' }) excerpt?: string;
  @Part(() => TestedRequest) request!: TestedRequest;
}
