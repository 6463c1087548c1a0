import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryOutcome, DeliveryStage } from './delivery-stage.js';

export interface Standstill {
  /** Events of each organisation that are published before. */
  events: number;
  /** Beyond the lease, so that others have what it had. */
  beyondLeaseMs: number;
  rounds: number;
}

const LEASE_MS = 5_000;
const WAKES_UP_MS = 1_500;
/** A statement that stands still too holds its locks no longer than this. */
const LOCKS_END_MS = 15_000;

/**
 * F11. A worker stands still for longer than its lease, with deliveries on their way, and goes on: others have sent what it had, and
 * whatever it has to say of them comes too late.
 */
export async function stoppedWorker(stage: DeliveryStage, standstill: Standstill): Promise<DeliveryOutcome> {
  const workers = await Promise.all([stage.worker(), stage.worker()]);
  stage.sink.answer = () => ({ afterMs: stage.random.between(50, 300) });
  let held = 0;
  for (let round = 0; round < standstill.rounds; round += 1) {
    await stage.publish(standstill.events);
    const stopped = await stage.busyWorker(workers);
    stopped.child.kill('SIGSTOP');
    held += await stage.heldBy(stopped);
    await sleep(LEASE_MS + standstill.beyondLeaseMs);
    stopped.child.kill('SIGCONT');
    await sleep(WAKES_UP_MS);
    await stage.quiet(LOCKS_END_MS);
  }
  return stage.outcome(held, { held });
}
