import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryOutcome, DeliveryStage } from './delivery-stage.js';
import type { OwnRedis } from './own-redis.js';

/** What the sweep is late at most: a second, and a moment for who shares the machine. */
const SWEEP_MS = 1_000;
const NOISE_MS = 1_500;
const QUIET_WITHIN_MS = 15_000;

/** F6. No Redis was ever there: every event is found by who looks once a second. */
export async function absentRedis(stage: DeliveryStage, events: number): Promise<DeliveryOutcome> {
  await trickle(stage, events);
  await stage.quiet(QUIET_WITHIN_MS);
  return judgedByDelay(await stage.outcome(0));
}

/** F4 and F5. Redis is emptied again and again under load, killed, and comes back with nothing in it. */
export async function brokenRedis(stage: DeliveryStage, redis: OwnRedis, rounds: number): Promise<DeliveryOutcome> {
  await stage.underLoad(async () => {
    for (let round = 0; round < rounds; round += 1) {
      for (let flush = 0; flush < 3; flush += 1) {
        await sleep(300);
        await redis.flushAll();
      }
      await redis.kill();
      await sleep(1_500);
      await redis.startEmpty();
      await sleep(1_000);
    }
  }, 200);
  await stage.quiet(QUIET_WITHIN_MS);
  return judgedByDelay(await stage.outcome(0));
}

/** One event after the other, at moments that have nothing to do with the sweep's. */
async function trickle(stage: DeliveryStage, events: number): Promise<void> {
  for (let event = 0; event < events; event += 1) {
    await stage.publishFor(stage.scenes[event % 2]!, 1, () => ({ service: 'pos' }));
    await sleep(stage.random.between(50, 350));
  }
}

function judgedByDelay(outcome: DeliveryOutcome): DeliveryOutcome {
  const { slowestMs } = outcome.figures;
  const isLate = slowestMs > SWEEP_MS + NOISE_MS;
  return isLate ? { ...outcome, complaints: [...outcome.complaints, `late: ${slowestMs} ms`] } : outcome;
}
