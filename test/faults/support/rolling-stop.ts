import { setTimeout as sleep } from 'node:timers/promises';
import type { ProductProcess } from '../../support/product-process.js';
import type { DeliveryOutcome, DeliveryStage, Settings } from './delivery-stage.js';

export interface RollingStop {
  stops: number;
  betweenMs: number;
  pauseMs: number;
  /** How long an answer takes, at least and at most. */
  answersMs: readonly [number, number];
  endsWithinMs: number;
}

/** What the orchestrator gives them: draining and sending may each take the product's grace. */
const GRACE_SECONDS = 10;
/** Whatever is not given back is stuck for so long that it is noticed. */
const LONG_LEASE = { DELIVERY_LEASE_SECONDS: '60' };

/** F17. Under load workers are told to stop, one after the other, and another takes the place of each. Nothing is sent twice. */
export async function rollingStop(
  stage: DeliveryStage,
  options: RollingStop,
  change: Settings = {},
): Promise<DeliveryOutcome> {
  const start = (): Promise<ProductProcess> =>
    stage.worker({ ...LONG_LEASE, STOP_GRACE_SECONDS: String(GRACE_SECONDS), ...change });
  const living = await Promise.all([start(), start()]);
  stage.sink.answer = () => ({ afterMs: stage.random.between(...options.answersMs) });
  const tookMs: number[] = [];
  const codes: (number | null)[] = [];
  await stage.underLoad(async () => {
    for (let stop = 0; stop < options.stops; stop += 1) {
      await sleep(options.betweenMs);
      living.push(await start()); // it may have taken all there is to do
      const busy = await stage.busyWorker(living);
      living.splice(living.indexOf(busy), 1);
      const fromMs = Date.now();
      codes.push(await busy.stop('SIGTERM'));
      tookMs.push(Date.now() - fromMs);
    }
  }, options.pauseMs);
  await stage.quiet(options.endsWithinMs);
  const unclean = codes.filter((code) => code !== 0).length;
  return stage.outcome(0, { stops: options.stops, unclean, slowestStopMs: Math.max(...tookMs) });
}
