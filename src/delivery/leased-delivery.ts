import type { DeliveryKey } from './delivery-id.js';
import type { OutgoingEvent } from './outgoing-event.js';

/** A batch of deliveries that are ours to send until it runs out; whoever comes later is fenced off by its number. */
export class Lease {
  /** Deliveries whose result is not written yet. */
  unsettled = 0;
  /** Of a delivery with which workers were lost. */
  isSuspect = false;
  isAbandoned = false;
  /** Called when nothing of it is left. */
  onWorkedOff: () => void = () => undefined;

  constructor(
    readonly fence: bigint,
    /** By the clock of `performance.now`, which no one sets. */
    private validUntilMs: number,
  ) {}

  /** Whether a call that takes so long would end while it is still ours. */
  lastsFor(ms: number): boolean {
    return performance.now() + ms < this.validUntilMs;
  }

  /** The result of one is written, or nobody waits for it any more. */
  settled(): void {
    this.unsettled -= 1;
    if (this.unsettled === 0) this.onWorkedOff();
  }

  /** Where results could not be written in time: it has to run out in the database, so that others find what is left of it. */
  abandon(): void {
    this.isAbandoned = true;
    this.end();
  }

  extendTo(validUntilMs: number): void {
    if (!this.isAbandoned) this.validUntilMs = validUntilMs;
  }

  end(): void {
    this.validUntilMs = 0;
  }
}

export interface LeasedDelivery extends DeliveryKey {
  orgcode: string;
  lease: Lease;
  /** Ended ones, this one not counted. */
  attempts: number;
  /** Workers that were lost while they had it. */
  lostWith: number;
  isOrdered: boolean;
  createdAt: Date;
  /** By hand: one attempt, however old it is. */
  isRetried?: boolean;
  /** Undefined where retention has taken it. */
  event: OutgoingEvent | undefined;
}

/** As the log writes instants: RFC 3339 in UTC to the microsecond. */
export function instantText(micros: bigint): string {
  const seconds = new Date(Number(micros / 1_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0')}Z`;
}
