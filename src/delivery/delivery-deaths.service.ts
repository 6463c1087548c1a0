import { Injectable } from '@nestjs/common';
import { OWN_SERVICE, OwnEvents, type OwnEvent } from '../cdc/own-events.service.js';
import { Database } from '../platform/database/database.js';
import { WebhookTargets } from '../webhook/webhook-targets.service.js';
import { deliveryId } from './delivery-id.js';
import { SettlementRepository, type Dead } from './settlement.repository.js';

/** Ends deliveries for good, and tells the organisation of it in the same transaction. */
@Injectable()
export class DeliveryDeaths {
  constructor(
    private readonly database: Database,
    private readonly repository: SettlementRepository,
    private readonly ownEvents: OwnEvents,
    private readonly targets: WebhookTargets,
  ) {}

  /** How many were still ours. */
  async settle(results: readonly Dead[]): Promise<number> {
    const byOrganisation = new Map<string, Dead[]>();
    for (const dead of results) {
      const { orgcode } = dead.delivery;
      byOrganisation.set(orgcode, [...(byOrganisation.get(orgcode) ?? []), dead]);
    }
    let ours = 0;
    for (const [orgcode, dead] of byOrganisation) ours += await this.settleOf(orgcode, dead);
    return ours;
  }

  private async settleOf(orgcode: string, dead: readonly Dead[]): Promise<number> {
    const settled = await this.database.transaction(orgcode, async (tx) => {
      const keys = await this.repository.dead(tx, orgcode, dead);
      const ids = new Set(keys.map(deliveryId));
      const events = dead.filter(({ delivery }) => ids.has(deliveryId(delivery))).flatMap((one) => this.eventOf(one));
      await this.ownEvents.appendUnasked(tx, orgcode, 'It is not sent again by itself.', events);
      return keys.length;
    });
    this.ownEvents.announce(orgcode);
    return settled;
  }

  /** Nothing is said of an event that itself says something of IPM: two dead webhooks would tell each other for ever. */
  private eventOf({ delivery, attempt, errorTag, reason }: Dead): OwnEvent[] {
    const target = this.targets.byLane(delivery.lane);
    if (!target || !delivery.event) return [];
    const { service, action, occurred_at } = JSON.parse(delivery.event.envelope) as Record<string, string>;
    if (service === OWN_SERVICE) return [];
    const { eventId: event_id, position } = delivery.event;
    const id = deliveryId(delivery);
    const payload = {
      delivery_id: id,
      webhook_id: target.webhookId,
      endpoint_host: target.endpointUrl.host,
      event: { event_id, service, action, occurred_at, position: String(position) },
      cause: reason,
      attempts: delivery.attempts + (attempt ? 1 : 0),
      ...(attempt && { last_attempt_at: new Date().toISOString() }),
      last_error: { error_tag: errorTag, ...(attempt?.httpStatus && { http_status: attempt.httpStatus }) },
    };
    return [{ action: 'delivery.dead', resource: { type: 'delivery', id }, payload }];
  }
}
