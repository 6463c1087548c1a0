/** What a delivery is found by: a webhook's lane, the event's position, and 0 or the number of the replay. */
export interface DeliveryKey {
  lane: bigint;
  position: bigint;
  replayNo: number;
}

/** What is to be sent. Bodies are rendered once, however many webhooks get the event. */
export interface EventToSend {
  position: bigint;
  eventId: string;
  occurredMicros: bigint;
  recordedAt: Date;
  envelope: string;
}

/** A batch of deliveries that are ours to send until it runs out; whoever comes later is fenced off by its number. */
export class Lease {
  /** Deliveries whose result is not written yet. */
  unsettled = 0;

  constructor(
    readonly fence: bigint,
    /** By the clock of `performance.now`, which no one sets. */
    private validUntilMs: number,
  ) {}

  /** Whether a call that takes so long would end while it is still ours. */
  lastsFor(ms: number): boolean {
    return performance.now() + ms < this.validUntilMs;
  }

  extendTo(validUntilMs: number): void {
    this.validUntilMs = validUntilMs;
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
  /** Undefined where retention has taken it. */
  event: EventToSend | undefined;
}
