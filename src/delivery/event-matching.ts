import type { RoutedEvent } from '../cdc/event-router.service.js';
import { OWN_SERVICE } from '../cdc/own-events.service.js';
import { FilteredEventView, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import type { NewDelivery } from './delivery.repository.js';
import { orderingKeyOf } from './ordering-key.js';

export interface Match extends NewDelivery {
  event: RoutedEvent;
}

/** How many may be sent without waiting in the queue. */
export interface RoomAtOnce {
  altogether: number;
  of(target: WebhookTarget): number;
}

const NO_ROOM: RoomAtOnce = { altogether: 0, of: () => 0 };

/** Which of some webhooks get which of some events. */
export class EventMatching {
  constructor(
    private readonly targets: readonly WebhookTarget[],
    private readonly room = NO_ROOM,
  ) {}

  matches(events: readonly RoutedEvent[]): Match[] {
    const left = new Map(this.targets.map((target) => [target, this.room.of(target)]));
    let { altogether } = this.room;
    const matches: Match[] = [];
    for (const event of events) {
      if (!event.pushed) continue; // history when it came: in the log, and for whoever asks for it
      const view = new FilteredEventView(event);
      for (const target of this.targets) {
        if (!isWanted(event, view, target)) continue;
        const room = left.get(target) ?? 0;
        const atOnce = room > 0 && altogether > 0;
        if (atOnce) {
          left.set(target, room - 1);
          altogether -= 1;
        }
        const orderingKey = target.ordering === 'key' ? orderingKeyOf(event) : null;
        matches.push({ lane: target.lane, position: event.position, orderingKey, atOnce, event });
      }
    }
    return matches;
  }
}

function isWanted(event: RoutedEvent, view: FilteredEventView, target: WebhookTarget): boolean {
  return event.position > target.startPosition && target.filters(view) && !isLoop(event, target);
}

/** What IPM says of a webhook or its deliveries is never sent to that webhook, or a failing one would fail for ever. */
export function isLoop(
  { service, envelope }: { service: string; envelope: string },
  { webhookId }: WebhookTarget,
): boolean {
  if (service !== OWN_SERVICE) return false;
  const { payload } = JSON.parse(envelope) as { payload?: { webhook_id?: unknown } };
  return payload?.webhook_id === webhookId;
}
