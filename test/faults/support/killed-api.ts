import { setTimeout as sleep } from 'node:timers/promises';
import { HeldLock, waiterOf } from '../../support/held-lock.js';
import type { Organisation } from './door.js';
import { FeedReader } from './feed-reader.js';
import type { Fleet } from './fleet.js';
import { Publisher } from './publisher.js';
import type { Random } from './random.js';
import { somethingHappens } from './said-event.js';
import { Trial, type Outcome, type Stage } from './trial.js';

const CLIENTS = 16;
const GIVE_UP = 0.1;

/** What is done to the processes while clients publish and readers read. */
export type Nemesis = (fleet: Fleet, stage: Stage, random: Random) => Promise<void>;

/**
 * F2. Processes are killed with -9 while clients publish through them and try again with the same event ids; some clients give
 * up, as if they had been killed themselves. What was acknowledged stands in the log once, and nothing stands there by half.
 */
export async function killedApi(stage: Stage, fleet: Fleet, nemesis: Nemesis): Promise<Outcome> {
  const trial = new Trial(stage);
  let isOver = false;
  const clients = stage.organisations.flatMap((organisation) =>
    Array.from({ length: CLIENTS / stage.organisations.length }, (_, i) =>
      publishUntil(trial, organisation, i % 4 === 0 ? 20 : 1, () => isOver),
    ),
  );
  const reading = readers(trial).map((reader) => reader.follow(() => isOver));
  try {
    await nemesis(fleet, stage, trial.random.branch());
  } finally {
    isOver = true;
    await Promise.all(clients);
    await Promise.all(reading);
  }
  return trial.outcome({ kills: fleet.kills });
}

/** Kills one of them and starts another in its place, again and again. */
export function randomKills(kills: number): Nemesis {
  return async (fleet, _stage, random) => {
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(random.between(300, 2_000));
      const place = random.between(0, fleet.doors.length - 1);
      await fleet.kill(place);
      await sleep(random.between(0, 500));
      await fleet.replace(place);
    }
    await sleep(500);
  };
}

/** Kills the first one at a moment when Postgres works on an append of it, so that the commit is certain and the answer lost. */
export const killBetweenCommitAndAnswer: Nemesis = async (fleet, { database, organisations: [organisation] }) => {
  await sleep(300);
  const lock = await HeldLock.take(database, 'select pg_advisory_xact_lock(4711, hashtext($1))', [
    organisation?.orgcode,
  ]);
  await waiterOf(database, fleet.doors.length);
  await fleet.kill(0);
  await lock.release();
  await sleep(500);
};

async function publishUntil(
  { ledger, random, stage }: Trial,
  organisation: Organisation,
  mostEvents: number,
  isOver: () => boolean,
): Promise<void> {
  const own = random.branch();
  const publisher = new Publisher({
    ...{ organisation, doors: stage.doors, ledger, random: own },
    ...{ mayBreak: true, givesUp: GIVE_UP },
  });
  while (!isOver()) {
    await publisher.say(Array.from({ length: own.between(1, mostEvents) }, () => somethingHappens(own)));
  }
}

function readers({ ledger, random, stage }: Trial): FeedReader[] {
  return stage.organisations.flatMap((organisation) =>
    [17, 256].map(
      (limit) =>
        new FeedReader({ organisation, doors: stage.doors, ledger, random: random.branch(), limit, mayBreak: true }),
    ),
  );
}
