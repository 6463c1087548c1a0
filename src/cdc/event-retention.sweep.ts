import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { log } from '../platform/telemetry/logger.js';
import { EventRetention } from './event-retention.service.js';

const EVERY_MS = 60 * 60_000;

@Injectable()
export class EventRetentionSweep {
  constructor(private readonly retention: EventRetention) {}

  @Interval(EVERY_MS)
  async run(): Promise<void> {
    try {
      const dropped = await this.retention.dropOld(new Date());
      if (dropped.length > 0) log.info({ partitions: dropped }, 'retention dropped old events');
    } catch (error) {
      log.warn({ err: error }, 'retention failed; it comes round again');
    }
  }
}
