import type { Organisation } from './door.js';
import { FeedReader } from './feed-reader.js';
import { Ledger } from './ledger.js';
import { Publisher } from './publisher.js';
import { somethingHappens } from './said-event.js';
import { Trial, type Outcome, type Stage } from './trial.js';

/** How a database comes back as it was. */
export interface Restore {
  original: Stage;
  /** Keeps the database as it is at this moment. */
  backUp: () => Promise<void>;
  /** The product on what was kept. */
  restore: () => Promise<Stage>;
}

const PAGES = [7, 256];
const KEPT = 40;
const LOST = 10;
const NEW = 25;

/**
 * F20. Readers have read on after the backup, so that their cursors stand where the restored log will have other events. They
 * must be refused, by every reader's next call; who then starts again, as the documentation says, sees all of the restored log.
 */
export async function oldCursors({ original, backUp, restore }: Restore): Promise<Outcome> {
  const trial = new Trial(original);
  const [organisation] = original.organisations as [Organisation];
  const lost = new Ledger();
  const readers = PAGES.map((limit) => readerOn(trial, organisation, limit, lost));
  await say(trial, organisation, KEPT, trial.ledger);
  for (const reader of readers) await reader.readToEnd();
  await backUp();
  await say(trial, organisation, LOST, lost);
  for (const reader of readers) await reader.readToEnd();
  trial.stage = await restore();
  await say(trial, organisation, NEW, trial.ledger);
  let refused = 0;
  for (const reader of readers) refused += (await goOn(trial, organisation, reader)) ? 0 : 1;
  return trial.outcome({ refused });
}

/** True if the restored log took the old cursor. */
async function goOn(trial: Trial, organisation: Organisation, old: FeedReader): Promise<boolean> {
  const reader = readerOn(trial, organisation, old.limit, trial.ledger);
  reader.token = old.token;
  const { status, body } = await reader.ask();
  const isTaken = status === 200;
  if (isTaken) trial.ledger.reads(reader.name, organisation.orgcode, old.seen);
  else if (status === 400 && body.error?.error_code === 'next_token_invalid') reader.token = undefined;
  else trial.ledger.strange(`an old cursor was answered ${status} ${body.error?.error_code}`);
  await reader.readToEnd();
  return isTaken;
}

function readerOn({ stage, random }: Trial, organisation: Organisation, limit: number, ledger: Ledger): FeedReader {
  return new FeedReader({ organisation, doors: stage.doors, random, ledger, limit });
}

async function say(trial: Trial, organisation: Organisation, count: number, ledger: Ledger): Promise<void> {
  const { stage, random } = trial;
  const publisher = new Publisher({ organisation, doors: stage.doors, ledger, random });
  for (let said = 0; said < count; said += 5) {
    await publisher.say(Array.from({ length: 5 }, () => somethingHappens(random)));
  }
}
