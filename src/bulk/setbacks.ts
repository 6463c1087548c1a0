import { EventsExpired } from '../cdc/log-export.service.js';
import { AppError } from '../platform/errors/app-error.js';
import { ObjectChanged, ObjectStoreUnavailable, UploadGone } from '../platform/object-store/object-store-failures.js';
import type { BulkFailure } from './bulk.dto.js';
import { bulkFailures } from './bulk.errors.js';
import { JobFailure } from './job-failure.js';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Errors that nobody has foreseen. */
const MAX_ERRORS = 3;

/** What went wrong since a job last came a step further, and whether it is tried again. */
export class Setbacks {
  private steps = -1n;
  private storeAwaySinceMs: number | undefined;
  private waits = 0;
  private errors = 0;

  constructor(private readonly storePatienceMs: number) {}

  /** None before an end, which only has to be written down. */
  get waitMs(): number {
    return this.waits === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(this.waits - 1, 10), LONGEST_WAIT_MS);
  }

  /** The job stands here; further than before, and everything is forgotten. */
  stands(steps: bigint): void {
    if (steps === this.steps) return;
    Object.assign(this, { steps, storeAwaySinceMs: undefined, waits: 0, errors: 0 });
  }

  /**
   * Why the job ends; undefined where it waits and is tried again. The database heals, or somebody else has the job by then: that is
   * waited for without end, because nothing could be written about it anyhow.
   */
  failureAfter(error: unknown, nowMs: number): BulkFailure | undefined {
    const failure = this.judge(error, nowMs);
    this.waits = failure ? 0 : this.waits + 1;
    return failure;
  }

  private judge(error: unknown, nowMs: number): BulkFailure | undefined {
    if (error instanceof JobFailure) return error.failure;
    if (error instanceof EventsExpired) return bulkFailures.eventsExpired;
    if (error instanceof ObjectStoreUnavailable) {
      this.storeAwaySinceMs ??= nowMs;
      return nowMs - this.storeAwaySinceMs > this.storePatienceMs ? bulkFailures.storeUnavailable : undefined;
    }
    const beginsAnew = error instanceof UploadGone || error instanceof ObjectChanged; // see ExportRun
    if (beginsAnew || error instanceof AppError) return undefined;
    this.errors += 1;
    return this.errors >= MAX_ERRORS ? bulkFailures.broken : undefined;
  }
}
