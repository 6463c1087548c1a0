import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Metrics } from '../platform/telemetry/metrics.js';
import type { PublishResult } from './cdc.dto.js';

const AGES_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Counts what comes into the log, and how soon its readers have it. */
@Injectable()
export class EventCounters {
  private readonly events: Counter<'outcome'>;
  private readonly ages: Histogram;
  private readonly readers: Gauge;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.events = new Counter({
      name: 'ipm_events_published_total',
      help: 'Published events by outcome: accepted, duplicate, rejected',
      labelNames: ['outcome'],
      registers,
    });
    this.ages = new Histogram({
      name: 'ipm_feed_age_seconds',
      help: 'How old an event is when this process reads it for its streams',
      buckets: AGES_S,
      registers,
    });
    this.readers = new Gauge({ name: 'ipm_feed_streams', help: 'Open streams of this process', registers });
  }

  published({ accepted, duplicate, rejected }: Pick<PublishResult, 'accepted' | 'duplicate' | 'rejected'>): void {
    for (const [outcome, count] of Object.entries({ accepted, duplicate, rejected }))
      if (count > 0) this.events.inc({ outcome }, count);
  }

  readForStreams(recordedAt: Date): void {
    this.ages.observe(Math.max(0, Date.now() - recordedAt.getTime()) / 1_000);
  }

  streamOpened(): void {
    this.readers.inc();
  }

  streamClosed(): void {
    this.readers.dec();
  }
}
