import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { log } from '../platform/telemetry/logger.js';
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
    const registers = [this.metrics.registry];
    const { pump } = this;
    new Gauge({
      name: 'ipm_delivery_window',
      help: `Deliveries in this process: on their way (at most ${IN_FLIGHT.process}), or waiting for their turn`,
      labelNames: ['state'],
      registers,
      collect() {
        this.set({ state: 'in_flight' }, pump.load.inFlight);
        this.set({ state: 'queued' }, pump.load.queued);
      },
    });
    const of = (name: string, help: string, read: keyof QueueFigures): void => {
      const figures = (): Promise<QueueFigures | undefined> => this.figures();
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          const found = await figures();
          if (found) this.set(found[read]);
        },
      });
    };
    of('ipm_delivery_due', 'Deliveries that are due and not sent, counted up to 100,000', 'due');
    of('ipm_delivery_due_oldest_seconds', 'How long the oldest of them is due', 'oldestSeconds');
    of('ipm_delivery_leases', 'Batches that workers hold', 'leases');
    of('ipm_router_organisations_behind', 'Organisations with events that are not routed yet', 'behind');
    of(
      'ipm_router_lag_seconds',
      'How long the newest of these events waits, of the organisation that waits longest',
      'lagSeconds',
    );
  }

  /** One question for all gauges of one scrape. */
  private figures(): Promise<QueueFigures | undefined> {
    return this.queue.figures().catch((error: unknown) => {
      log.warn({ err: error }, 'what waits could not be counted for the metrics');
      return undefined;
    });
  }
}

type QueueFigures = Awaited<ReturnType<QueueState['figures']>>;
