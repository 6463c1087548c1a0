import { createHash } from 'node:crypto';
import type { EnvelopeFields, OutgoingEvent } from './outgoing-event.js';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** Never changes: with another one, receivers would take a retry for a new event. */
const NAMESPACE = Buffer.from('5b0c9e5cf0e74d0b9c1d6f3a2e8b7d41', 'hex');

/** The seven fields of the integration contract (document 003, 6.2), all of them always there. */
export function documentEventBody(outgoing: OutgoingEvent): string {
  const event = JSON.parse(outgoing.envelope) as EnvelopeFields;
  return JSON.stringify({
    event_id: UUID.test(event.event_id) ? event.event_id : derivedId(outgoing),
    event_type: `${event.service}.${event.action}`,
    occurred_at: event.occurred_at,
    tenant_id: outgoing.orgcode,
    resource_type: event.resource_type ?? event.service,
    resource_id: event.resource_id ?? event.logical_guid ?? event.event_id,
    payload: event.payload ?? {},
  });
}

/** A UUIDv5 of what makes the event the one it is: neither another organisation nor another time gets the same. */
function derivedId({ orgcode, eventId, occurredAt }: OutgoingEvent): string {
  const hash = createHash('sha1').update(NAMESPACE).update(`${orgcode}\n${eventId}\n${occurredAt}`).digest();
  hash[6] = (hash.readUInt8(6) & 0x0f) | 0x50;
  hash[8] = (hash.readUInt8(8) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
