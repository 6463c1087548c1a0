import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { SystemTx, Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { log } from '../platform/telemetry/logger.js';
import { OperationHeartbeat, OperationLost } from './operation-heartbeat.js';
import {
  OperationRunRepository,
  type NewOperationRun,
  type OperationCounts,
  type OperationFailure,
  type OperationResult,
  type StaleRun,
  type TakenRun,
} from './operation-run.repository.js';
import { beatEveryMs, operationTypeOf } from './operation-types.js';

export type { NewOperationRun, OperationCounts, OperationFailure, OperationResult };

/** A long piece of work while it runs. */
export interface RunningOperation {
  id: number;
  /** Progress. Throws where another worker has the run by now. */
  beat: (counts: OperationCounts) => Promise<void>;
}

/** Work that answers nothing is left for another. */
export type OperationWork = (run: RunningOperation) => Promise<OperationResult | undefined>;

type Kind = Pick<NewOperationRun, 'type' | 'subject'>;

const TELL_AGAIN_MS = 500;
const STOPPED_ON_AN_ERROR =
  'It stopped on an error that the log of the worker has; it is tried again, ever more seldom.';

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
  async run(what: NewOperationRun, work: OperationWork): Promise<boolean> {
    const { runningSeconds } = operationTypeOf(what.type);
    const taken = await this.across((tx) => this.runs.startOrTakeOver(tx, what, runningSeconds));
    if (taken) await this.workOn(taken, what, work);
    return taken !== undefined;
  }

  /** Goes on with a run that has lost its worker. Answers whether it was ours, and nobody faster. */
  async resume(stale: StaleRun, work: OperationWork): Promise<boolean> {
    const { runningSeconds } = operationTypeOf(stale.type);
    const taken = await this.across((tx) => this.runs.takeOver(tx, stale.id, runningSeconds));
    if (taken) await this.workOn(taken, stale, work);
    return taken !== undefined;
  }

  /** For work that is ordered, and has a lease of its own: from here it is seen. */
  queue(tx: Tx, what: NewOperationRun): Promise<number> {
    return this.runs.queue(tx, what);
  }

  begin(id: number): Promise<void> {
    return this.across((tx) => this.runs.begin(tx, id));
  }

  beat(id: number, counts: OperationCounts): Promise<void> {
    return this.across((tx) => this.runs.beat(tx, id, counts));
  }

  /** In the transaction that ends the work itself. */
  end(tx: Tx, id: number, result: OperationResult): Promise<void> {
    return this.runs.complete(tx, id, result);
  }

  /** How many have not ended, and of how many the worker is silent. */
  standing(): ReturnType<OperationRunRepository['standing']> {
    return this.across((tx) => this.runs.standing(tx));
  }

  private async workOn(taken: TakenRun, { type, subject }: Kind, work: OperationWork): Promise<void> {
    const { id } = taken;
    const beat = (counts?: OperationCounts): Promise<boolean> =>
      this.across((tx) => this.runs.beatOwn(tx, taken, counts));
    const heartbeat = new OperationHeartbeat(id, beat, beatEveryMs(type));
    try {
      const result = await work({ id, beat: (counts) => heartbeat.tell(counts) });
      if (!result) await this.tell(type, (tx) => this.runs.leave(tx, taken));
      else if (!(await this.tell(type, (tx) => this.runs.completeOwn(tx, taken, result)))) throw new OperationLost(id);
    } catch (error) {
      if (error instanceof OperationLost)
        log.warn({ operation_run: id, type, subject }, 'an operation run was taken over');
      else await this.fail(taken, { type, subject }, error);
    } finally {
      heartbeat.end();
    }
  }

  private async fail(taken: TakenRun, { type, subject }: Kind, error: unknown): Promise<void> {
    log.error({ err: error, operation_run: taken.id, type, subject }, 'an operation run failed');
    const evidence = error instanceof AppError ? { error_code: error.failure.tag } : {};
    await this.tell(type, (tx) =>
      this.runs.failOwn(tx, taken, {
        source: 'failed_callback',
        reasonCode: 'work_failed',
        reasonMessage: STOPPED_ON_AN_ERROR,
        outcome: 'failed',
        message: STOPPED_ON_AN_ERROR,
        evidence,
      }),
    );
  }

  /**
   * What became of a run, again and again while the database is away. One of which nobody says that it has ended counts as worked at
   * until its worker counts as gone, and whoever would go on with it waits for that.
   */
  private async tell<T>(type: string, what: (tx: SystemTx) => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + operationTypeOf(type).runningSeconds * 1_000;
    for (;;) {
      try {
        return await this.across(what);
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
        log.warn({ err: error, type }, 'what became of an operation run could not be told; it is said again');
        await sleep(TELL_AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  private across<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.database.acrossOrganisations('operation run', work);
  }
}
