import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { CatchUpRepository, type Lagging } from './catch-up.repository.js';
import { CatchUp } from './catch-up.service.js';

const AT_ONCE = 4;
const LOOKED_AT = 100;

/** Finds webhooks that missed something, and lets some of them catch up at a time. */
@Injectable()
export class CatchUpSweep {
  private readonly atWork = new Set<bigint>();
  private isLooking = false;

  constructor(
    private readonly repository: CatchUpRepository,
    private readonly catchUp: CatchUp,
    private readonly stop: GracefulStop,
  ) {}

  @Interval(1_000)
  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping || this.atWork.size >= AT_ONCE) return;
    this.isLooking = true;
    try {
      const lagging = await this.repository.lagging(LOOKED_AT);
      for (const webhook of lagging.filter(({ lane }) => !this.atWork.has(lane)).slice(0, AT_ONCE - this.atWork.size))
        void this.begin(webhook);
    } catch (error) {
      log.warn({ err: error }, 'webhooks that missed something could not be looked for; they are in a second');
    } finally {
      this.isLooking = false;
    }
  }

  private async begin(webhook: Lagging): Promise<void> {
    this.atWork.add(webhook.lane);
    try {
      await this.catchUp.run(webhook);
    } catch (error) {
      log.warn(
        { err: error, orgcode: webhook.orgcode, webhook_id: webhook.webhookId },
        'a catch-up could not begin or end; the next round goes on',
      );
    } finally {
      this.atWork.delete(webhook.lane);
    }
  }
}
