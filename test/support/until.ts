import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 10_000;

/** Waits until it holds, and says so loudly when it does not. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = WITHIN_MS): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not come to hold within ${withinMs} ms: ${holds.toString()}`);
    await sleep(20);
  }
}
