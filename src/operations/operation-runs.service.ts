import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import { log } from '../platform/telemetry/logger.js';
import {
  OperationRunRepository,
  type NewOperationRun,
  type OperationCounts,
  type OperationOutcome,
} from './operation-run.repository.js';

export type { OperationCounts };

/** A run that was silent for so long has lost its worker. */
const STALE_SECONDS = 120;

/** A long piece of work while it runs. */
export interface RunningOperation {
  id: number;
  beat: (counts: OperationCounts) => Promise<void>;
}

export interface OperationResult {
  outcome: OperationOutcome;
  counts: OperationCounts;
  /** One sentence for operators. */
  message: string;
}

/** Work longer than a request, as operators see it: with heartbeat, progress and outcome. */
@Injectable()
export class OperationRuns {
  constructor(
    private readonly database: Database,
    private readonly runs: OperationRunRepository,
  ) {}

  /**
   * Does the work unless another worker is at it; takes over what one has left. Work that answers nothing is left for another, at
   * once. Answers whether it was ours.
   */
  async run(
    what: NewOperationRun,
    work: (run: RunningOperation) => Promise<OperationResult | undefined>,
  ): Promise<boolean> {
    const id = await this.database.acrossOrganisations('operation run', (tx) =>
      this.runs.startOrTakeOver(tx, what, STALE_SECONDS),
    );
    if (id === undefined) return false;
    try {
      const result = await work({ id, beat: (counts) => this.beat(id, counts) });
      if (result) await this.complete(id, result);
      else await this.leave(id);
    } catch (error) {
      log.error({ err: error, operation_run: id, type: what.type, subject: what.subject }, 'an operation run failed');
      const message = 'It stopped on an error that the log of the worker has; the next round tries again.';
      await this.complete(id, { outcome: 'failed', counts: {}, message });
    }
    return true;
  }

  /** For work that is ordered, and has a lease of its own: from here it is seen. */
  queue(tx: Tx, what: NewOperationRun): Promise<number> {
    return this.runs.queue(tx, what);
  }

  begin(id: number): Promise<void> {
    return this.database.acrossOrganisations('operation run', (tx) => this.runs.begin(tx, id));
  }

  beat(id: number, counts: OperationCounts): Promise<void> {
    return this.database.acrossOrganisations('operation run', (tx) => this.runs.beat(tx, id, counts));
  }

  /** In the transaction that ends the work itself. */
  end(tx: Tx, id: number, { outcome, counts, message }: OperationResult): Promise<void> {
    return this.runs.complete(tx, id, outcome, counts, message);
  }

  private leave(id: number): Promise<void> {
    return this.database.acrossOrganisations('operation run', (tx) => this.runs.leave(tx, id));
  }

  private complete(id: number, { outcome, counts, message }: OperationResult): Promise<void> {
    return this.database.acrossOrganisations('operation run', (tx) =>
      this.runs.complete(tx, id, outcome, counts, message),
    );
  }
}
