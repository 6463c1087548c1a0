import type { EnvelopeFields, OutgoingEvent } from './outgoing-event.js';

/** What the type String of CloudEvents excludes: control characters, noncharacters, lone surrogates. */
const NOT_IN_ATTRIBUTES = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

/** CloudEvents 1.0 in its JSON format. An attribute is a text or is absent; only `data` may be anything. */
export function cloudEventBody({ orgcode, position, recordedAt, envelope }: OutgoingEvent): string {
  const event = JSON.parse(envelope) as EnvelopeFields;
  return JSON.stringify({
    specversion: '1.0',
    id: event.event_id,
    source: `/ipm/orgs/${orgcode}`,
    type: `${event.service}.${event.action}`,
    subject: attribute(subjectOf(event)),
    time: event.occurred_at,
    datacontenttype: event.payload === undefined ? undefined : 'application/json',
    logicalguid: attribute(event.logical_guid),
    channelcode: attribute(event.channel_code),
    cccode: event.cccode,
    orderingkey: attribute(event.ordering_key),
    schemaversion: attribute(event.schema_version),
    recordedat: recordedAt.toISOString(),
    position: String(position),
    data: event.payload,
  });
}

function subjectOf({ resource_type, resource_id }: EnvelopeFields): string | undefined {
  if (resource_id === undefined) return undefined;
  return resource_type === undefined ? resource_id : `${resource_type}/${resource_id}`;
}

function attribute(text: string | undefined): string | undefined {
  return text?.replaceAll(NOT_IN_ATTRIBUTES, '\ufffd');
}
