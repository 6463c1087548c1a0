import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { SystemTx } from '../platform/database/transaction.js';
import { GracefulStop } from '../platform/http/graceful-stop.js';
import { log } from '../platform/telemetry/logger.js';
import { OperationAdapters } from './operation-adapters.service.js';
import { OperationRunRepository, type Settlement, type StaleRun } from './operation-run.repository.js';
import { OperationRuns, type OperationResult, type OperationWork } from './operation-runs.service.js';

const LOOKED_AT = 100;
/** Resumed ones that this process works at; settling waits for none of them. */
const AT_ONCE = 4;
/** Workers that died on a run without a step in between: it is the run that kills them. */
const MAX_LOST_WORKERS = 10;

/**
 * Settles runs whose worker is gone. Those that can go on do, as the same run; the others end, with the evidence. Several may look at
 * the same time: each step asks once more whether the run is still stale, and one of them gets it.
 */
@Injectable()
export class OperationReconciler {
  private readonly resumed = new Map<number, Promise<void>>();
  private isLooking = false;
  /** Goes round, so that runs which stay as they are do not stand before the others. */
  private lookedTo = 0;

  constructor(
    private readonly database: Database,
    private readonly repository: OperationRunRepository,
    private readonly runs: OperationRuns,
    private readonly adapters: OperationAdapters,
    private readonly stop: GracefulStop,
  ) {}

  async look(): Promise<void> {
    if (this.isLooking || this.stop.isStopping) return;
    this.isLooking = true;
    try {
      const stale = await this.across((tx) => this.repository.stale(tx, this.lookedTo, LOOKED_AT));
      this.lookedTo = stale.length < LOOKED_AT ? 0 : (stale.at(-1)?.id ?? 0);
      for (const run of stale) if (!this.resumed.has(run.id)) await this.reconcileOne(run);
    } catch (error) {
      log.warn({ err: error }, 'stale operation runs could not be looked for; the next round looks again');
    } finally {
      this.isLooking = false;
    }
  }

  /** When what was resumed has ended, or was left. */
  async idle(): Promise<void> {
    await Promise.all(this.resumed.values());
  }

  private async reconcileOne(run: StaleRun): Promise<void> {
    try {
      await this.reconcile(run);
    } catch (error) {
      log.warn(
        { err: error, operation_run: run.id },
        'a stale operation run could not be settled; the next round does',
      );
    }
  }

  private async reconcile(run: StaleRun): Promise<void> {
    const standing = await this.adapters.of(run.type)?.(run);
    switch (standing?.kind) {
      case undefined:
        return this.settle(
          run,
          failed('scheduled_reconciler', 'worker_lost', 'Its worker is gone, and no other knows how to go on.'),
        );
      case 'gone':
        return this.settle(
          run,
          failed('adapter_reconciler', 'work_gone', 'Its worker is gone, and so is what it worked on.'),
        );
      case 'ended':
        return this.settle(run, endedAs(standing.result));
      case 'held':
        return;
      case 'open':
        if (run.lostWorkers < MAX_LOST_WORKERS) return this.resume(run, standing.work);
        return this.settle(
          run,
          failed(
            'scheduled_reconciler',
            'workers_lost_repeatedly',
            'Its workers were lost one after the other without a step in between.',
          ),
        );
    }
  }

  private async settle(run: StaleRun, settlement: Settlement): Promise<void> {
    const isOurs = await this.across((tx) => this.repository.settle(tx, run.id, settlement));
    const { id, type, subject } = run;
    if (isOurs)
      log.warn(
        { operation_run: id, type, subject, reason: settlement.reasonCode },
        'a stale operation run was settled',
      );
  }

  private resume(run: StaleRun, work: OperationWork): void {
    if (this.resumed.size >= AT_ONCE || this.stop.isStopping) return;
    const { id, type, subject } = run;
    const resumed = this.runs
      .resume(run, (running) => {
        log.info({ operation_run: id, type, subject }, 'a stale operation run goes on');
        return work(running);
      })
      .catch((error: unknown) => log.warn({ err: error, operation_run: id }, 'an operation run could not go on'))
      .then(() => void this.resumed.delete(id));
    this.resumed.set(id, resumed);
  }

  private across<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('operation run', work);
  }
}

function failed(source: Settlement['source'], reasonCode: string, reasonMessage: string): Settlement {
  return { source, reasonCode, reasonMessage, outcome: 'failed', message: reasonMessage };
}

function endedAs({ outcome, counts, message, failures = [] }: OperationResult): Settlement {
  return {
    source: 'adapter_reconciler',
    reasonCode: failures[0]?.code ?? 'work_ended',
    reasonMessage: failures[0]?.message ?? 'Its work had ended, and its worker was lost before it said so.',
    outcome,
    counts,
    message,
  };
}
