import { until } from '../../support/until.js';
import type { DeliveryOutcome, DeliveryStage } from './delivery-stage.js';
import { changed } from './worker-change.js';

export interface Poison {
  /** Of each organisation; one of all of them kills. */
  events: number;
  /** Leases of the dead run out at once instead of after their time. */
  isQuick: boolean;
  endsWithinMs: number;
}

/** More than this and somebody is killed who should have been spared. */
const MOST_DEATHS = 8;
const DIES_WITHIN_MS = 30_000;

/** F19. A delivery takes its worker with it whenever it is sent. After five workers it is dead, and its neighbours are not. */
export async function poison(stage: DeliveryStage, options: Poison): Promise<DeliveryOutcome> {
  const [scene, other] = stage.scenes;
  await stage.publishFor(scene!, options.events, (n) =>
    n === Math.floor(options.events / 2) ? { service: 'pos', payload: { deadly: true } } : {},
  );
  await stage.publishFor(other!, options.events);
  let deaths = 0;
  while (deaths < MOST_DEATHS) {
    const worker = await stage.doomedWorker(changed('dies-of-poison'));
    const isDead = (): boolean => worker.child.signalCode === 'SIGKILL';
    const buried = async (): Promise<boolean> => (await stage.deadOf(scene!)) > 0;
    await until(async () => isDead() || (await buried()), DIES_WITHIN_MS);
    if (!isDead()) break;
    deaths += 1;
    if (options.isQuick) await stage.endLeasesOf(worker);
  }
  await stage.quiet(options.endsWithinMs);
  return stage.outcome(deaths * IN_FLIGHT, { deaths });
}

const IN_FLIGHT = 256;
