import { setTimeout as sleep } from 'node:timers/promises';
import type { ProductProcess } from '../../support/product-process.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import type { DeliveryOutcome, DeliveryStage } from './delivery-stage.js';

export interface Freeze {
  events: number;
  forMs: number;
  rounds: number;
  patienceMs: number;
}

/**
 * F7. The line between a worker and Postgres freezes without a word, for longer than its lease. Another one sends what it had; what it
 * has to say comes late, and changes nothing. When that other one is gone, the first one works as before.
 */
export async function frozenLine(stage: DeliveryStage, freeze: Freeze): Promise<DeliveryOutcome> {
  const line = await TcpProxy.to(stage.database.url);
  try {
    const frozen = await stage.worker({ DATABASE_URL: line.urlOf(stage.database.url) });
    stage.sink.answer = () => ({ afterMs: stage.random.between(50, 300) });
    let held = 0;
    let other: ProductProcess | undefined; // not before the first one has something, or it might take all of it
    for (let round = 0; round < freeze.rounds; round += 1) {
      await stage.publish(freeze.events);
      await stage.busyWorker([frozen]);
      line.freeze();
      held += await stage.heldBy(frozen);
      other ??= await stage.worker();
      await sleep(freeze.forMs);
      line.thaw();
      await stage.quiet(freeze.patienceMs);
    }
    await other?.stop('SIGTERM');
    stage.forgetDelays();
    await stage.publish(20);
    await stage.quiet(freeze.patienceMs);
    return await stage.outcome(held, { held });
  } finally {
    line.thaw();
    await line.close();
  }
}
