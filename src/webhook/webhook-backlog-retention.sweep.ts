import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { log } from '../platform/telemetry/logger.js';
import { WebhookBacklogRetention } from './webhook-backlog-retention.service.js';

const EVERY_MS = 60_000;

@Injectable()
export class WebhookBacklogRetentionSweep {
  private isLooking = false;

  constructor(private readonly retention: WebhookBacklogRetention) {}

  @Interval(EVERY_MS)
  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      await this.retention.look(new Date());
    } catch (error) {
      log.warn({ err: error }, 'what retention takes from paused webhooks could not be told; it comes round again');
    } finally {
      this.isLooking = false;
    }
  }
}
