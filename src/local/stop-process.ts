import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from './process-identity.js';

export type ProcessKind = 'app' | 'test-run' | 'initdb' | 'redis' | 'postgres';

/** What is kept of every child, so that it can be stopped by whoever outlives its parent. */
export interface ProcessRecord extends ProcessIdentity {
  kind: ProcessKind;
}

interface StopStep {
  signal: NodeJS.Signals;
  waitMs: number;
  hurriedWaitMs: number;
}

interface StopPlan {
  /** The child leads a group whose other members end with it. */
  wholeGroup: boolean;
  steps: StopStep[];
}

const kill: StopStep = { signal: 'SIGKILL', waitMs: 5_000, hurriedWaitMs: 5_000 };

/** In the order of stopping: who uses a store goes before the store. */
const stopPlans: Record<ProcessKind, StopPlan> = {
  // A second more than the app's own grace.
  app: { wholeGroup: false, steps: [{ signal: 'SIGTERM', waitMs: 16_000, hurriedWaitMs: 0 }, kill] },
  'test-run': { wholeGroup: true, steps: [{ signal: 'SIGTERM', waitMs: 3_000, hurriedWaitMs: 0 }, kill] },
  initdb: { wholeGroup: true, steps: [kill] },
  redis: { wholeGroup: false, steps: [{ signal: 'SIGTERM', waitMs: 5_000, hurriedWaitMs: 500 }, kill] },
  postgres: {
    wholeGroup: false,
    steps: [
      // Postgres calls these fast and immediate shutdown; after the second it recovers from its log at the next start.
      { signal: 'SIGINT', waitMs: 30_000, hurriedWaitMs: 2_000 },
      { signal: 'SIGQUIT', waitMs: 5_000, hurriedWaitMs: 2_000 },
      kill,
    ],
  },
};

const stopOrder = Object.keys(stopPlans) as ProcessKind[];

export async function stopInOrder(records: readonly ProcessRecord[], hurry?: AbortSignal): Promise<void> {
  for (const kind of stopOrder) {
    await Promise.all(records.filter((record) => record.kind === kind).map((record) => stopProcess(record, hurry)));
  }
}

/** Never signals a process that only has the same pid. */
export async function stopProcess(record: ProcessRecord, hurry?: AbortSignal): Promise<void> {
  const plan = stopPlans[record.kind];
  for (const step of plan.steps) {
    if (!isRunning(record)) return;
    signalQuietly(plan.wholeGroup ? -record.pid : record.pid, step.signal);
    await untilGone(record, step, hurry);
  }
}

async function untilGone(record: ProcessIdentity, step: StopStep, hurry?: AbortSignal): Promise<void> {
  const begun = Date.now();
  let hurriedAt: number | undefined;
  while (isRunning(record)) {
    if (hurry?.aborted) hurriedAt ??= Date.now();
    const deadline = Math.min(begun + step.waitMs, (hurriedAt ?? Infinity) + step.hurriedWaitMs);
    if (Date.now() >= deadline) return;
    await delay(20);
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}
