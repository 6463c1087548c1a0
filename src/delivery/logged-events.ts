import type { FeedPage } from '../cdc/feed.service.js';
import { FilteredEventView, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { isLoop } from './event-matching.js';
import { instantText } from './leased-delivery.js';
import type { OutgoingEvent } from './outgoing-event.js';

/** Events of a page of the log that a webhook wants, ready to be sent. */
export function wantedEvents(orgcode: string, target: WebhookTarget, rows: FeedPage['rows']): OutgoingEvent[] {
  return rows.flatMap((row) => {
    const { event_id: eventId, action } = JSON.parse(row.envelope) as { event_id: string; action: string };
    if (!target.filters(new FilteredEventView({ ...row, action })) || isLoop(row, target)) return [];
    const { position, recordedAt, envelope, occurredMicros } = row;
    return [{ orgcode, position, recordedAt, envelope, eventId, occurredAt: instantText(occurredMicros) }];
  });
}
