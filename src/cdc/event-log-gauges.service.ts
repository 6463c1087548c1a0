import { Injectable, type OnModuleInit } from '@nestjs/common';
import { FigureGauges } from '../platform/telemetry/figure-gauges.js';
import { Metrics } from '../platform/telemetry/metrics.js';
import { EventPartitions } from './event-partitions.service.js';

/** Shows how the log stands: without room ahead nothing can be published. */
@Injectable()
export class EventLogGauges implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly partitions: EventPartitions,
  ) {}

  onModuleInit(): void {
    new FigureGauges(this.metrics.registry, 'the partitions of the log', () => this.partitions.standing())
      .show('ipm_event_position', 'The last position of the log that was drawn', ({ drawn }) => drawn)
      .show('ipm_event_partitions', 'Partitions of the log', ({ count }) => count)
      .show('ipm_event_partitions_ahead', 'Those that stand ready beyond the one in use', ({ ahead }) => ahead);
  }
}
