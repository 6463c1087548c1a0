import type { EventDelivery } from './cdc.dto.js';

/** What became of an event; room `delivery` is the one that knows. */
export abstract class EventDeliveries {
  abstract ofEvent(orgcode: string, position: bigint): Promise<EventDelivery[]>;
}
