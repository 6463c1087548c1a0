import { log } from '../platform/telemetry/logger.js';
import type { OperationCounts } from './operation-run.repository.js';

/** Another worker has the run, because this one was silent for too long: nothing that it does counts any more. */
export class OperationLost extends Error {
  constructor(id: number) {
    super(`the operation run ${id} is another worker's by now, or ended`);
  }
}

/** Says that the worker of a run lives, however long a step of its work takes. */
export class OperationHeartbeat {
  private readonly timer: NodeJS.Timeout;
  private isLost = false;

  /** `beat` answers whether the run is still ours. */
  constructor(
    private readonly id: number,
    private readonly beat: (counts?: OperationCounts) => Promise<boolean>,
    everyMs: number,
  ) {
    this.timer = setInterval(() => void this.sign(), everyMs);
  }

  /** With progress. Throws where the run is lost, so that the work goes no further. */
  async tell(counts: OperationCounts): Promise<void> {
    this.isLost ||= !(await this.beat(counts));
    if (this.isLost) throw new OperationLost(this.id);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private async sign(): Promise<void> {
    try {
      this.isLost ||= !(await this.beat());
    } catch (error) {
      log.warn({ err: error, operation_run: this.id }, 'a heartbeat could not be written; the next one may be');
    }
  }
}
