import type { StoredEvent } from '../cdc/rendered-event.dto.js';

/** What the body of a call is made of, beside the webhook's own settings. */
export interface OutgoingEvent extends StoredEvent {
  orgcode: string;
  eventId: string;
  /** To the microsecond, as `canonicalTime` of the log writes it: with `eventId` it makes the event the one it is. */
  occurredAt: string;
  /** Its bodies as bytes, once they are rendered: the same for every webhook, attempt and signature. */
  bodies?: Partial<Record<PayloadFormat, Buffer>>;
}

export type PayloadFormat = 'envelope' | 'cloudevents' | 'event';

/** The envelope as the formats other than its own take it apart. */
export interface EnvelopeFields {
  event_id: string;
  service: string;
  action: string;
  occurred_at: string;
  logical_guid?: string;
  channel_code?: string;
  cccode?: string;
  resource_type?: string;
  resource_id?: string;
  ordering_key?: string;
  schema_version?: string;
  payload?: unknown;
}
