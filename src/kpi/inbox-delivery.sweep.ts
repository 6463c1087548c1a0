import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { InboxDeliveries } from './inbox-deliveries.service.js';

const INBOXES = ['scm', 'ics', 'pcm'] as const;

/** Looks once a second for alerts that an inbox is to be told of; the table is the queue, and nothing else is needed. */
@Injectable()
export class InboxDeliverySweep {
  private isLooking = false;

  constructor(
    private readonly deliveries: InboxDeliveries,
    private readonly stop: GracefulStop,
  ) {}

  @Interval(1_000)
  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping) return;
    this.isLooking = true;
    try {
      for (const inbox of INBOXES) await this.deliveries.begin(inbox);
    } catch (error) {
      log.warn({ err: error }, 'alerts for inboxes could not be looked for; they are in a second');
    } finally {
      this.isLooking = false;
    }
  }
}
