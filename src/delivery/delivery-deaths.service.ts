import { Injectable } from '@nestjs/common';
import { OwnEvents, type OwnEvent } from '../cdc/own-events.service.js';
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
    let ours = 0;
    for (const [orgcode, dead] of Map.groupBy(results, ({ delivery }) => delivery.orgcode))
      ours += await this.settleOf(orgcode, dead);
    return ours;
  }

  private async settleOf(orgcode: string, dead: readonly Dead[]): Promise<number> {
    const settled = await this.database.transaction(orgcode, async (tx) => {
      const keys = await this.repository.dead(tx, orgcode, dead);
      const ids = new Set(keys.map(deliveryId));
      const events = dead.filter(({ delivery }) => ids.has(deliveryId(delivery))).flatMap((one) => this.eventOf(one));
      await this.ownEvents.appendUnasked(tx, orgcode, 'its last attempt failed', events);
      return keys.length;
    });
    this.ownEvents.announce(orgcode);
    return settled;
  }

  /** Nothing is said of an event that itself says something of IPM: two dead webhooks would tell each other for ever. */
  private eventOf({ delivery, attempt, errorTag, reason }: Dead): OwnEvent[] {
    const { event } = delivery;
    const target = this.targets.byLane(delivery.lane);
    const { service, action } = event ? (JSON.parse(event.envelope) as { service: string; action: string }) : unknown_;
    if (!target || service === 'ipm') return [];
    return [
      {
        action: 'delivery.dead',
        resource: { type: 'delivery', id: deliveryId(delivery) },
        payload: {
          delivery_id: deliveryId(delivery),
          webhook_id: target.webhookId,
          event_id: event?.eventId ?? 'unknown',
          service,
          action,
          attempts: delivery.attempts + (attempt ? 1 : 0),
          reason,
          error_tag: errorTag,
          ...(attempt?.httpStatus ? { http_status: attempt.httpStatus } : {}),
        },
      },
    ];
  }
}

const unknown_ = { service: 'unknown', action: 'unknown' };
