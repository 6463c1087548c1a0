import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryOutcome, DeliveryStage } from './delivery-stage.js';
import { changed, type WorkerChange } from './worker-change.js';

/** F12. The clocks of workers are an hour off, in both directions. Nothing is early, late, or sent by two of them. */
export async function wrongClocks(
  stage: DeliveryStage,
  clocks: readonly WorkerChange[],
  events: number,
): Promise<DeliveryOutcome> {
  await Promise.all(clocks.map((clock) => stage.worker(changed(clock))));
  stage.sink.answer = ({ eventId = '' }, howOften) => ({
    afterMs: stage.random.between(50, 400),
    ...(howOften < 3 && eventId.startsWith('1') && { status: 503, headers: { 'retry-after': '1' } }),
  });
  for (let part = 0; part < 4; part += 1) {
    await stage.publish(events / 4);
    await sleep(500);
  }
  await stage.quiet(40_000); // a breaker that opens on the last of them takes its time
  const attempts = stage.sink.arrivals.filter(({ headers }) => headers['ipm-attempt'] !== '1').length;
  return stage.outcome(0, { attempts });
}
