import { hash } from 'node:crypto';
import type { OutgoingEvent } from './outgoing-event.js';

type Identity = Pick<OutgoingEvent, 'orgcode' | 'eventId' | 'occurredAt'>;

const HASH_CHARACTERS = 22;

/** What receivers tell a message they have seen by: the same over attempts, replays, webhooks and restarts. */
export function webhookMessageId({ orgcode, eventId, occurredAt }: Identity): string {
  const digest = hash('sha256', `${orgcode}\n${eventId}\n${occurredAt}`, 'base64url');
  return `msg_${digest.slice(0, HASH_CHARACTERS)}`;
}
