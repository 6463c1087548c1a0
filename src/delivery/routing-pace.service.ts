import { Injectable } from '@nestjs/common';
import { ENOUGH_QUEUED, MAX_ROUTED_PAIRS } from './delivery-limits.js';
import { DeliveryPump } from './delivery-pump.service.js';

const EVENTS_A_BATCH = 500;
/** Of an organisation whose webhooks are not known yet: it may have many. */
const EVENTS_OF_THE_FIRST = 10;

/**
 * How much of its log an organisation may hand to the pump at once. While enough is queued for endpoints that keep up the rest
 * waits in the log, which costs nothing, and where another worker may take it.
 */
@Injectable()
export class RoutingPace {
  /** Called with an organisation that had to wait and need not any more. */
  onRoom: (orgcode: string) => void = () => undefined;
  private readonly webhooks = new Map<string, number>();
  private readonly resting = new Set<string>();

  constructor(private readonly pump: DeliveryPump) {}

  /** Of the organisation, as its last batch found them. */
  noteWebhooks(orgcode: string, count: number): void {
    this.webhooks.set(orgcode, Math.max(1, count));
  }

  batchSize(orgcode: string): number {
    if (!this.webhooks.has(orgcode)) return EVENTS_OF_THE_FIRST;
    const atMost = Math.floor(MAX_ROUTED_PAIRS / this.webhooksOf(orgcode));
    return Math.max(1, Math.min(EVENTS_A_BATCH, atMost));
  }

  hasRoom(orgcode: string): boolean {
    const queued = this.pump.queuedOf(orgcode);
    if (queued === 0 || (queued < this.enoughFor(orgcode) && !this.isCrowded(orgcode))) return true;
    this.resting.add(orgcode);
    return false;
  }

  /** Something of the organisation has been sent. */
  sent(orgcode: string): void {
    if (!this.resting.has(orgcode) || this.isCrowded(orgcode)) return;
    if (this.pump.queuedOf(orgcode) >= this.enoughFor(orgcode) / 2) return;
    this.resting.delete(orgcode);
    this.onRoom(orgcode);
  }

  private isCrowded(orgcode: string): boolean {
    return this.pump.roomOfOrganisation(orgcode) === 0;
  }

  /** At least a batch, so that the next one is there before the last one is gone. */
  private enoughFor(orgcode: string): number {
    return Math.max(ENOUGH_QUEUED, this.batchSize(orgcode) * this.webhooksOf(orgcode));
  }

  private webhooksOf(orgcode: string): number {
    return this.webhooks.get(orgcode) ?? 1;
  }
}
