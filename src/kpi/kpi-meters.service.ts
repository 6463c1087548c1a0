import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Counter } from 'prom-client';
import { Database } from '../platform/database/database.js';
import { FigureGauges } from '../platform/telemetry/figure-gauges.js';
import { Metrics } from '../platform/telemetry/metrics.js';
import { InboxDeliveryRepository } from './inbox-delivery.repository.js';
import type { KpiAlertDeliveryStatus } from './kpi-alert-lifecycle.js';

/** Counts what inboxes are told, and shows what they still have to be told. */
@Injectable()
export class KpiMeters implements OnModuleInit {
  private readonly attempts: Counter<'inbox' | 'outcome'>;

  constructor(
    private readonly metrics: Metrics,
    private readonly database: Database,
    private readonly repository: InboxDeliveryRepository,
  ) {
    this.attempts = new Counter({
      name: 'ipm_inbox_attempts_total',
      help: 'Calls to inbox services by outcome: delivered, pending (asked again), failed',
      labelNames: ['inbox', 'outcome'],
      registers: [metrics.registry],
    });
  }

  onModuleInit(): void {
    const standing = (): ReturnType<InboxDeliveryRepository['standing']> =>
      this.database.acrossOrganisations('inbox delivery', (tx) => this.repository.standing(tx));
    new FigureGauges(this.metrics.registry, 'alerts', standing)
      .show(
        'ipm_inbox_pending',
        'Alerts that an inbox is still to be told of, counted up to 100,000',
        ({ pending }) => pending,
      )
      .show('ipm_inbox_oldest_seconds', 'How long the oldest of them stands', ({ oldestSeconds }) => oldestSeconds)
      .show('ipm_kpi_alerts_open', 'Alerts of rules that have not cleared, counted up to 100,000', ({ open }) => open);
  }

  attempted(inbox: string, outcome: KpiAlertDeliveryStatus): void {
    this.attempts.inc({ inbox, outcome });
  }
}
