import { Injectable, type OnModuleInit } from '@nestjs/common';
import { OperationAdapters, type Standing } from '../operations/operation-adapters.service.js';
import type { OperationResult } from '../operations/operation-runs.service.js';
import { BulkActRuns, countsOf } from './bulk-act-runs.service.js';

/** What becomes of the run of a bulk act whose worker is gone. */
@Injectable()
export class BulkActReconciliation implements OnModuleInit {
  constructor(
    private readonly adapters: OperationAdapters,
    private readonly runs: BulkActRuns,
  ) {}

  onModuleInit(): void {
    this.adapters.register('dead_letter_bulk_act', ({ subject }) => this.standing(subject));
  }

  private async standing(bulkActId: string): Promise<Standing> {
    const record = await this.runs.find(bulkActId);
    if (!record) return { kind: 'gone' };
    if (record.status !== 'completed') return { kind: 'open', work: (running) => this.runs.goOn(bulkActId, running) };
    const outcome = record.outcome as OperationResult['outcome'];
    return {
      kind: 'ended',
      result: { outcome, counts: countsOf(record), message: 'It was done; its own page says what.' },
    };
  }
}
