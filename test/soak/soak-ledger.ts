import { DeliveryLedger } from '../faults/support/delivery-ledger.js';
import { Ledger, type Heard } from '../faults/support/ledger.js';
import type { SaidEvent } from '../faults/support/said-event.js';

/** The ledgers of the log and of deliveries in one: what the log has taken is to be delivered. */
export class SoakLedger extends Ledger {
  readonly deliveries = new DeliveryLedger();
  private readonly unanswered = new Map<string, SaidEvent>();

  override says(orgcode: string, events: readonly SaidEvent[]): void {
    super.says(orgcode, events);
    for (const event of events) this.unanswered.set(event.event_id, event);
  }

  override hears(orgcode: string, eventId: string, heard: Heard): void {
    super.hears(orgcode, eventId, heard);
    const event = this.unanswered.get(eventId);
    if (event) this.deliveries.acknowledges(orgcode, event);
    this.unanswered.delete(eventId);
  }

  /** Lines of a file: each for itself, whoever imports them is not told where they stand, and all of them are to be delivered. */
  imports(orgcode: string, events: readonly SaidEvent[]): void {
    for (const event of events) {
      super.says(orgcode, [event]);
      this.deliveries.acknowledges(orgcode, event);
    }
  }
}
