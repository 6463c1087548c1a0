import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Configuration } from '../platform/config/configuration.js';
import { Sweeps } from '../platform/schedule/sweeps.js';
import { DeliveryRetentionRepository } from './delivery-retention.repository.js';

const EVERY_MS = 10 * 60_000;
const AT_MOST = 10_000;
const MAX_ROUNDS = 100;

/** Deliveries are kept as long as their events. */
@Injectable()
export class DeliveryRetentionSweep {
  constructor(
    private readonly configuration: Configuration,
    private readonly sweeps: Sweeps,
    private readonly deliveries: DeliveryRetentionRepository,
  ) {}

  @Interval(EVERY_MS)
  async prune(): Promise<void> {
    const { retentionDays } = this.configuration.events;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const pruned = await this.sweeps.alone('delivery retention', (tx) =>
        this.deliveries.prune(tx, AT_MOST, retentionDays),
      );
      if (pruned === undefined || pruned < AT_MOST) return;
    }
  }
}
