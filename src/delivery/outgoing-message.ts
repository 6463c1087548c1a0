import { cloudEventBody } from './cloud-event.js';
import { documentEventBody } from './document-event.js';
import type { OutgoingEvent, PayloadFormat } from './outgoing-event.js';
import { thirdPartyEnvelope } from './third-party-envelope.js';

const BODIES: Readonly<Record<PayloadFormat, (event: OutgoingEvent) => string>> = {
  envelope: thirdPartyEnvelope,
  cloudevents: cloudEventBody,
  event: documentEventBody,
};

/** The body of a webhook call: the same bytes for every attempt, replay and webhook of that format. */
export function messageBody(format: PayloadFormat, event: OutgoingEvent): string {
  return BODIES[format](event);
}
