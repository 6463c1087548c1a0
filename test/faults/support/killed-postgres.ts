import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiAnswer } from '../../support/api.js';
import { isRetryable } from './door.js';
import { underLoad } from './load.js';
import type { OwnPostgres } from './own-postgres.js';
import { Trial, type Outcome, type Stage } from './trial.js';

export interface KillRounds {
  rounds: number;
  /** About so long between kills. */
  workMs: number;
  awayMs: number;
}

const HEALS_WITHIN_MS = 15_000;

/**
 * F3. Postgres is killed with -9 under load and comes back after a while. What was acknowledged is there afterwards; in between
 * callers are asked to try again, and the product serves again without being started anew.
 */
export async function killedPostgres(stage: Stage, postgres: OwnPostgres, rounds: KillRounds): Promise<Outcome> {
  const trial = new Trial(stage);
  let refusals = 0;
  await underLoad(trial, { pages: [17, 256] }, async () => {
    for (let round = 0; round < rounds.rounds; round += 1) {
      await sleep(rounds.workMs * (0.5 + trial.random.next()));
      await postgres.kill(round % 2 === 0 ? 'postmaster and sessions' : 'postmaster');
      refusals += await refusedMeanwhile(trial, rounds.awayMs);
      await postgres.start();
      await untilHealed(trial);
    }
    await sleep(rounds.workMs);
  });
  return trial.outcome({ kills: rounds.rounds, refusals });
}

/** Asks while the server is away; answers how often it was told to come back. */
async function refusedMeanwhile(trial: Trial, awayMs: number): Promise<number> {
  const until = Date.now() + awayMs;
  let refusals = 0;
  while (Date.now() < until) {
    for (const answer of await readThroughEachDoor(trial)) {
      if (isRetryable(answer)) refusals += 1;
      else trial.ledger.strange(`a read without a database was answered ${answer.status}`);
    }
    await sleep(50);
  }
  return refusals;
}

async function untilHealed(trial: Trial): Promise<void> {
  const until = Date.now() + HEALS_WITHIN_MS;
  while ((await readThroughEachDoor(trial)).some(({ status }) => status !== 200)) {
    if (Date.now() > until) {
      trial.ledger.strange(`a process did not find back to its database in ${HEALS_WITHIN_MS / 1000} s`);
      return;
    }
    await sleep(20);
  }
}

function readThroughEachDoor({ stage }: Trial): Promise<ApiAnswer[]> {
  return Promise.all(stage.doors.map((door) => door.call('/cdc/list', {}, stage.organisations[0]!)));
}
