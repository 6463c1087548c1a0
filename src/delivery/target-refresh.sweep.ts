import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { log } from '../platform/telemetry/logger.js';
import { WebhookTargets } from '../webhook/webhook-targets.service.js';

/** A webhook that was paused, or given another address, is known of within a second wherever deliveries of it wait. */
@Injectable()
export class TargetRefreshSweep {
  private isLooking = false;

  constructor(private readonly targets: WebhookTargets) {}

  @Interval(1_000)
  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      await this.targets.refresh(this.targets.known());
    } catch (error) {
      log.warn({ err: error }, 'webhooks could not be read again; they are in a second');
    } finally {
      this.isLooking = false;
    }
  }
}
