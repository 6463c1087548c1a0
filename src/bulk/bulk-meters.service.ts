import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Counter } from 'prom-client';
import { FigureGauges } from '../platform/telemetry/figure-gauges.js';
import { Metrics } from '../platform/telemetry/metrics.js';
import { BulkWorkRepository } from './bulk-work.repository.js';

/** Counts lines, and shows which jobs wait. */
@Injectable()
export class BulkMeters implements OnModuleInit {
  private readonly lines: Counter<'outcome'>;
  private readonly records: Counter;

  constructor(
    private readonly metrics: Metrics,
    private readonly jobs: BulkWorkRepository,
  ) {
    const registers = [metrics.registry];
    this.lines = new Counter({
      name: 'ipm_import_lines_total',
      help: 'Lines of imports by outcome: processed, refused',
      labelNames: ['outcome'],
      registers,
    });
    this.records = new Counter({ name: 'ipm_export_records_total', help: 'Events written into exports', registers });
  }

  onModuleInit(): void {
    new FigureGauges(this.metrics.registry, 'bulk jobs', () => this.jobs.standing())
      .showEach(
        'ipm_bulk_jobs',
        'Imports and exports that have not ended, by status',
        'status',
        ({ queued, running }) => ({
          queued,
          running,
        }),
      )
      .show(
        'ipm_bulk_queued_oldest_seconds',
        'How long the oldest job waits for a worker',
        ({ oldestSeconds }) => oldestSeconds,
      );
  }

  imported(processed: number, refused: number): void {
    this.lines.inc({ outcome: 'processed' }, processed);
    this.lines.inc({ outcome: 'refused' }, refused);
  }

  exported(records: number): void {
    this.records.inc(records);
  }
}
