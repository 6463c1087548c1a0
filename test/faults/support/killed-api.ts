import { setTimeout as sleep } from 'node:timers/promises';
import { HeldLock, waiterOf } from '../../support/held-lock.js';
import type { Fleet } from './fleet.js';
import { underLoad } from './load.js';
import type { Random } from './random.js';
import { Trial, type Outcome, type Stage } from './trial.js';

/** What is done to the processes while clients publish and readers read. */
export interface Nemesis {
  strike: (fleet: Fleet, stage: Stage, random: Random) => Promise<void>;
  /** Of the clients whose call failed, how many never come back. */
  givesUp: number;
}

/**
 * F2. Processes are killed with -9 while clients publish through them and try again with the same event ids. What was acknowledged stands in the log once, and nothing stands there by half.
 */
export async function killedApi(stage: Stage, fleet: Fleet, nemesis: Nemesis): Promise<Outcome> {
  const trial = new Trial(stage);
  const own = trial.random.branch();
  await underLoad(trial, { pages: [17, 256], mayBreak: true, givesUp: nemesis.givesUp }, () =>
    nemesis.strike(fleet, stage, own),
  );
  return trial.outcome({ kills: fleet.kills });
}

/** Kills one of them and starts another in its place, again and again. */
export function randomKills(kills: number): Nemesis {
  const strike: Nemesis['strike'] = async (fleet, _stage, random) => {
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(random.between(300, 2_000));
      const place = random.between(0, fleet.doors.length - 1);
      await fleet.kill(place);
      await sleep(random.between(0, 500));
      await fleet.replace(place);
    }
    await sleep(500);
  };
  return { strike, givesUp: 0.1 };
}

/** Kills the first one at a moment when Postgres works on an append of it, so that the commit is certain and the answer lost. */
export const killBetweenCommitAndAnswer: Nemesis = {
  givesUp: 0,
  strike: async (fleet, { database, organisations }) => {
    await sleep(300);
    const lock = await HeldLock.take(database, 'select pg_advisory_xact_lock(4711, hashtext($1))', [
      organisations[0]?.orgcode,
    ]);
    await waiterOf(database, fleet.doors.length);
    await fleet.kill(0);
    await lock.release();
    await sleep(500);
  },
};
