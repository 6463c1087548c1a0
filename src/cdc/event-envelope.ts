import type { PublishedEvent } from './published-event.js';

export const EVENT_ORIGINS = ['publish', 'import', 'inbound', 'ipm'] as const;
export type EventOrigin = (typeof EVENT_ORIGINS)[number];

export const MAX_EVENT_BYTES = 256 * 1024;

/** What the server knows of an event beside what it says of itself. */
export interface EventSurroundings {
  orgcode: string;
  origin: EventOrigin;
  context: object;
  /** Why the catalog would have liked it otherwise. */
  flags: readonly string[];
  /** Of the call, where the event has none of its own. */
  reason?: string | undefined;
  source_refs?: PublishedEvent['source_refs'] | undefined;
  /** Of the request that published it, where its trace is kept. */
  traceparent?: string | undefined;
}

/** The stored envelope as text, but for what the log adds: it is kept, sent and exported without being parsed again. */
export function envelopeText(event: PublishedEvent, payload: unknown, around: EventSurroundings): string {
  return JSON.stringify({
    event_id: event.event_id,
    service: event.service,
    action: event.action,
    occurred_at: event.occurred_at,
    logical_guid: event.logical_guid ?? undefined,
    channel_code: event.channel_code ?? undefined,
    cccode: event.cccode ?? undefined,
    resource_type: event.resource_type ?? undefined,
    resource_id: event.resource_id ?? undefined,
    ordering_key: event.ordering_key ?? undefined,
    schema_version: event.schema_version ?? undefined,
    reason: event.reason ?? around.reason,
    source_refs: event.source_refs ?? around.source_refs,
    request_context: around.context,
    payload,
    flags: around.flags.length > 0 ? around.flags : undefined,
    traceparent: around.traceparent,
    orgcode: around.orgcode,
    origin: around.origin,
  });
}
