import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';

const SWEEP_MS = 1_000;
const LARGEST_MARGIN_MS = 5_000;

/** What follows from how long a worker has its deliveries to itself. */
@Injectable()
export class LeaseTimes {
  readonly seconds: number;
  readonly ms: number;
  /** For the result to be written, after the call has ended. */
  readonly marginMs: number;
  readonly extendEveryMs: number;
  /** One that is begun just before an extension ends while it is ours. Webhooks with more time than this get this. */
  readonly longestCallMs: number;

  constructor({ delivery }: Configuration) {
    this.seconds = delivery.leaseSeconds;
    this.ms = this.seconds * 1_000;
    this.marginMs = Math.min(LARGEST_MARGIN_MS, this.ms / 5);
    this.extendEveryMs = this.ms / 4;
    this.longestCallMs = this.ms - this.extendEveryMs - SWEEP_MS - this.marginMs;
  }

  callMs(timeoutMs: number): number {
    return Math.min(timeoutMs, this.longestCallMs);
  }
}
