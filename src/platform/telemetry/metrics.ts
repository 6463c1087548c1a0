import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** What this process measures, in the form that Prometheus reads. Rooms add theirs; one process may hold several applications in tests. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private isCollecting = false;

  /** Everything, as text. What costs a look at the machine is set up with the first question. */
  async text(): Promise<string> {
    if (!this.isCollecting) collectDefaultMetrics({ register: this.registry });
    this.isCollecting = true;
    return this.registry.metrics();
  }
}
