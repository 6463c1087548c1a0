import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { log } from '../platform/telemetry/logger.js';
import { WebhookReencryption } from './webhook-reencryption.service.js';

const EVERY_MS = 60_000;
/** Until what is left is looked at again: it is what could not be opened, or what processes with older keys still seal. */
const REST_AFTER_A_RUN_MS = 30 * 60_000;

/** Notices that there is a newer key. */
@Injectable()
export class WebhookReencryptionSweep {
  private isLooking = false;
  private restUntilMs = 0;

  constructor(private readonly reencryption: WebhookReencryption) {}

  @Interval(EVERY_MS)
  async look(): Promise<void> {
    if (this.isLooking || performance.now() < this.restUntilMs) return;
    this.isLooking = true;
    try {
      if (await this.reencryption.run()) this.restUntilMs = performance.now() + REST_AFTER_A_RUN_MS;
    } catch (error) {
      log.warn({ err: error }, 'secrets could not be put under the newest key; the next round does it');
    } finally {
      this.isLooking = false;
    }
  }
}
