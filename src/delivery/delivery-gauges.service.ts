import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { FigureGauges } from '../platform/telemetry/figure-gauges.js';
import { Metrics } from '../platform/telemetry/metrics.js';
import { IN_FLIGHT } from './delivery-limits.js';
import { DeliveryPump } from './delivery-pump.service.js';
import { QueueState } from './queue-state.repository.js';

/** Shows what waits, when somebody asks. */
@Injectable()
export class DeliveryGauges implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly pump: DeliveryPump,
    private readonly queue: QueueState,
  ) {}

  onModuleInit(): void {
    const { registry } = this.metrics;
    const { pump } = this;
    new Gauge({
      name: 'ipm_delivery_window',
      help: `Deliveries in this process: on their way (at most ${IN_FLIGHT.process}), or waiting for their turn`,
      labelNames: ['state'],
      registers: [registry],
      collect() {
        this.set({ state: 'in_flight' }, pump.load.inFlight);
        this.set({ state: 'queued' }, pump.load.queued);
      },
    });
    new FigureGauges(registry, 'what waits', () => this.queue.figures())
      .show(
        'ipm_delivery_due',
        'Deliveries that could be sent and are not, counted up to 100,000; without those of paused webhooks and of endpoints that a breaker spares',
        ({ due }) => due,
      )
      .show(
        'ipm_delivery_due_oldest_seconds',
        'How long the oldest of them is due',
        ({ oldestSeconds }) => oldestSeconds,
      )
      .show('ipm_delivery_leases', 'Batches that workers hold', ({ leases }) => leases)
      .show('ipm_delivery_dead', 'Dead letters that are kept, counted up to 100,000', ({ dead }) => dead)
      .show(
        'ipm_router_organisations_behind',
        'Organisations with events that are not routed yet',
        ({ behind }) => behind,
      )
      .show(
        'ipm_router_lag_seconds',
        'How long the oldest event waits that is not routed yet',
        ({ lagSeconds }) => lagSeconds,
      );
  }
}
