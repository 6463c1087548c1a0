import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Sweeps } from '../platform/schedule/sweeps.js';
import { EventPartitions } from './event-partitions.service.js';
import { EventZones } from './event-zones.service.js';

const PARTITIONS_EVERY_MS = 60_000;
const ZONES_EVERY_MS = 5_000;
const ZONES_A_ROUND = 100;

/** Makes room for events to come, and keeps what is known of those that are there. */
@Injectable()
export class EventLogSweep implements OnApplicationBootstrap {
  constructor(
    private readonly sweeps: Sweeps,
    private readonly partitions: EventPartitions,
    private readonly zones: EventZones,
  ) {}

  onApplicationBootstrap(): void {
    void this.keepPartitions();
  }

  @Interval(PARTITIONS_EVERY_MS)
  async keepPartitions(): Promise<void> {
    await this.sweeps.alone('event partitions', async () => {
      await this.partitions.keepAhead();
      await this.partitions.noteFull();
      await this.partitions.beginDaily(new Date());
    });
  }

  @Interval(ZONES_EVERY_MS)
  async cutZones(): Promise<void> {
    await this.sweeps.alone('event zones', () => this.zones.cut(ZONES_A_ROUND));
  }
}
