import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { operationTypeOf } from '../../src/operations/operation-types.js';
import { isQuiet } from '../faults/support/delivery-state.js';
import { Endpoints } from './endpoints.js';
import { Nemesis } from './nemesis.js';
import { SoakBulk } from './soak-bulk.js';
import { setTo } from './soak-faults.js';
import { SoakLoad } from './soak-load.js';
import { openRuns, verdict } from './soak-oracle.js';
import type { SoakReport } from './soak-report.js';
import { sabotaged, type SoakSettings } from './soak-settings.js';
import type { SoakStage } from './soak-stage.js';

/**
 * Nothing arrived for so long: what is not there by then is stuck. Nothing is left alone for longer than a catch-up whose worker was
 * killed: another goes on when that one counts as gone.
 */
const PATIENCE_MS = operationTypeOf('webhook_catch_up').runningSeconds * 1_000 + 30_000;

/** F21. Faults drawn by chance while organisations publish, read, import and export; in the end nothing is missing, twice or wrong. */
export async function soak(stage: SoakStage, { minutes, sabotage }: SoakSettings): Promise<SoakReport> {
  const { random } = stage;
  const { seed } = random;
  const begunAt = new Date();
  await sabotaged(stage.database, sabotage);
  const stalls = monitorEventLoopDelay();
  stalls.enable();
  const endpoints = new Endpoints(stage.sink, random.branch());
  const load = new SoakLoad(stage, random.branch());
  const bulk = new SoakBulk(stage, load, random.branch());
  const tell = (what: string): unknown =>
    process.stderr.write(`  ${Math.round((Date.now() - begunAt.getTime()) / 1_000)} s: ${what}\n`);
  const nemesis = new Nemesis({ stage, endpoints, bulk, random: random.branch() }, tell);
  await nemesis.rage(minutes * 60_000);
  const overMs = Date.now();
  tell('no more faults; coming to rest');
  await load.publishersLeave();
  endpoints.calm();
  await bulk.leave();
  for (const webhook of stage.ledger.deliveries.webhooks) await setTo(stage, webhook, 'active');
  await quiet(stage);
  const restedAt = new Date();
  stalls.disable();
  const restMs = restedAt.getTime() - overMs;
  await load.readersLeave();
  tell('at rest; everything is looked at');
  const { complaints, notes, figures } = await verdict(stage, bulk, { extraAtMost: nemesis.extraAtMost, restedAt });
  return {
    seed,
    minutes,
    sabotage,
    begunAt: begunAt.toISOString(),
    faults: nemesis.struck,
    figures: { ...figures, longestStallMs: Math.round(stalls.max / 1e6), restMs },
    notes,
    complaints,
    repeat: `npm run soak -- --minutes ${minutes} --seed ${seed}${sabotage ? ` --sabotage ${sabotage}` : ''}`,
  };
}

/** Runs may still say something when all is delivered: a catch-up tells of its end. */
async function quiet({ database, sink }: SoakStage): Promise<void> {
  let [arrivals, lastMs] = [0, Date.now()];
  const isAtRest = async (): Promise<boolean> => (await isQuiet(database)) && (await openRuns(database)).length === 0;
  while (!(await isAtRest()) && Date.now() - lastMs < PATIENCE_MS) {
    if (sink.arrivals.length > arrivals) [arrivals, lastMs] = [sink.arrivals.length, Date.now()];
    await sleep(500);
  }
}
