import { buildInfo } from '../platform/config/build-info.js';
import { signatureOf } from '../platform/outgoing/message-signature.js';
import type { OutgoingEvent, PayloadFormat } from './outgoing-event.js';
import { webhookMessageId } from './webhook-message-id.js';

export interface OutgoingMessage {
  format: PayloadFormat;
  event: Pick<OutgoingEvent, 'orgcode' | 'eventId' | 'occurredAt'>;
  /** Exactly what is sent. */
  body: string | Buffer;
  /** The current one first, and the one before it while their overlap lasts. */
  secrets: readonly string[];
  /** Of the webhook, their names in any case. */
  custom: Readonly<Record<string, string>>;
  deliveryId: string;
  attempt: number;
  isReplay: boolean;
  nowSeconds: number;
  /** Of the span of this attempt, where traces are kept. */
  traceparent?: string | undefined;
}

const USER_AGENT = `IPM/${buildInfo.build_major}.${buildInfo.build_minor}`;

export function messageHeaders(message: OutgoingMessage): Record<string, string> {
  const { event, secrets, nowSeconds, body } = message;
  if (secrets.length === 0) throw new Error('a message that nobody can verify is not sent');
  const id = webhookMessageId(event);
  return {
    ...inLowerCase(message.custom),
    'content-type': message.format === 'cloudevents' ? 'application/cloudevents+json' : 'application/json',
    'user-agent': USER_AGENT,
    'accept-encoding': 'identity',
    'webhook-id': id,
    'webhook-timestamp': String(nowSeconds),
    'webhook-signature': secrets.map((secret) => signatureOf(secret, id, nowSeconds, body)).join(' '),
    'ipm-delivery-id': message.deliveryId,
    'ipm-attempt': String(message.attempt),
    'ipm-replay': String(message.isReplay),
    ...(message.traceparent !== undefined && { traceparent: message.traceparent }),
  };
}

/** So that none of them stands beside one of ours of the same name. */
function inLowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
