import { createHash } from 'node:crypto';
import type { OutgoingEvent } from './outgoing-event.js';

type Identity = Pick<OutgoingEvent, 'orgcode' | 'eventId' | 'occurredAt'>;

const HASH_CHARACTERS = 22;

/** What receivers tell a message they have seen by: the same over attempts, replays, webhooks and restarts. */
export function webhookMessageId({ orgcode, eventId, occurredAt }: Identity): string {
  const hash = createHash('sha256').update(`${orgcode}\n${eventId}\n${occurredAt}`).digest('base64url');
  return `msg_${hash.slice(0, HASH_CHARACTERS)}`;
}
