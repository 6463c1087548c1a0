import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { DeliveryClaims } from './delivery-claims.service.js';
import { DeliveryPump } from './delivery-pump.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { DueLanes } from './due-lanes.service.js';

const LANES_A_PAGE = 1_000;
const LEASES_A_ROUND = 50;
const CANCELLED_AT_ONCE = 1_000;

/** What makes deliveries go on whoever was lost and whatever rang or did not: looks once a second by itself, and needs no Redis. */
@Injectable()
export class DeliverySweep {
  private isLooking = false;

  constructor(
    private readonly deliveries: DeliveryRepository,
    private readonly claims: DeliveryClaims,
    private readonly pump: DeliveryPump,
    private readonly due: DueLanes,
    private readonly stop: GracefulStop,
  ) {}

  /** For retries whose time this process knows. */
  @Interval(50)
  tick(): void {
    this.due.tick();
  }

  @Interval(1_000)
  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping) return;
    this.isLooking = true;
    try {
      await this.claims.extend();
      await this.pump.flushHealth();
      await this.deliveries.recover(LEASES_A_ROUND);
      await this.findDue();
      await this.claims.claimSuspect();
    } catch (error) {
      log.warn({ err: error }, 'deliveries could not be looked after; they are again in a second');
    } finally {
      this.isLooking = false;
    }
  }

  private async findDue(): Promise<void> {
    for (let after = 0n; ;) {
      const lanes = await this.deliveries.dueLanes(after, LANES_A_PAGE);
      for (const { lane, orgcode, status } of lanes) {
        if (status === 'revoked') await this.deliveries.cancel(lane, CANCELLED_AT_ONCE);
        else this.due.note(lane, orgcode);
      }
      const last = lanes.at(-1);
      if (!last || lanes.length < LANES_A_PAGE) break;
      after = last.lane;
    }
  }
}
