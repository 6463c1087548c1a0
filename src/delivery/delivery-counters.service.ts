import { Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { Metrics } from '../platform/telemetry/metrics.js';
import { AGE_BOUNDS_MS } from './age-classes.js';

const DURATIONS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30];

/** Counts what was sent. Labels are classes, never names of organisations or endpoints, of which there is no end. */
@Injectable()
export class DeliveryCounters {
  private readonly attempts: Counter<'outcome'>;
  private readonly durations: Histogram;
  private readonly ages: Histogram;
  private readonly late: Counter;
  private readonly deaths: Counter;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.attempts = new Counter({
      name: 'ipm_delivery_attempts_total',
      help: 'Calls to webhooks by outcome: delivered, http_3xx, http_4xx, http_5xx, timeout, refused (by our own rules), unreachable',
      labelNames: ['outcome'],
      registers,
    });
    this.durations = new Histogram({
      name: 'ipm_delivery_attempt_seconds',
      help: 'How long calls to webhooks took',
      buckets: DURATIONS_S,
      registers,
    });
    this.ages = new Histogram({
      name: 'ipm_delivery_age_seconds',
      help: 'From the routing of an event to the 2xx of its webhook',
      buckets: AGE_BOUNDS_MS.map((ms) => ms / 1_000),
      registers,
    });
    this.late = new Counter({
      name: 'ipm_delivery_superseded_total',
      help: 'Results that came after the lease had gone to somebody else',
      registers,
    });
    this.deaths = new Counter({
      name: 'ipm_delivery_dead_total',
      help: 'Deliveries that became dead letters',
      registers,
    });
  }

  died(count: number): void {
    this.deaths.inc(count);
  }

  attempted({
    status,
    errorTag,
    durationMs,
  }: {
    status: number | undefined;
    errorTag: string | undefined;
    durationMs: number;
  }): void {
    this.attempts.inc({ outcome: outcomeClass(status, errorTag) });
    this.durations.observe(durationMs / 1_000);
  }

  delivered(ageMs: number): void {
    this.ages.observe(ageMs / 1_000);
  }

  superseded(count: number): void {
    this.late.inc(count);
  }
}

function outcomeClass(status: number | undefined, errorTag: string | undefined): string {
  if (status !== undefined) return status < 300 ? 'delivered' : `http_${Math.floor(status / 100)}xx`;
  if (errorTag === 'timeout' || errorTag === 'connect_timeout') return 'timeout';
  return errorTag?.endsWith('_not_allowed') ? 'refused' : 'unreachable';
}
