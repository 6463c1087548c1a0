import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryOutcome, DeliveryStage } from './delivery-stage.js';

export interface WorkerKills {
  workers: number;
  kills: number;
  betweenMs: readonly [least: number, most: number];
  /** Between calls of a client. */
  pauseMs: number;
  /** Whether another one is started for each that is killed. */
  replaces: boolean;
  /** How long what is left may take afterwards, leases and all. */
  endsWithinMs: number;
}

/** So many calls a process has on their way at most: all of them may have arrived when it is killed. */
const IN_FLIGHT = 256;

/** F1. Workers are killed with -9 under load, and others take their place: what they had is sent by those that live. */
export async function lostWorkers(stage: DeliveryStage, options: WorkerKills): Promise<DeliveryOutcome> {
  const { random } = stage;
  const living = await Promise.all(Array.from({ length: options.workers }, () => stage.worker()));
  stage.sink.answer = () => ({ afterMs: random.between(0, 60), ...(random.happens(0.05) && { status: 500 }) });
  await stage.underLoad(async () => {
    for (let kill = 0; kill < options.kills; kill += 1) {
      await sleep(random.between(...options.betweenMs));
      const killed = await stage.busyWorker(living);
      living.splice(living.indexOf(killed), 1);
      await killed.stop('SIGKILL');
      if (options.replaces) living.push(await stage.worker());
    }
  }, options.pauseMs);
  const overMs = Date.now();
  await stage.quiet(options.endsWithinMs);
  return stage.outcome(options.kills * IN_FLIGHT, { kills: options.kills, endedAfterMs: Date.now() - overMs });
}
