import type { Organisation } from './door.js';
import { readersOf } from './load.js';
import { Publisher } from './publisher.js';
import { somethingHappens, type SaidEvent } from './said-event.js';
import { SqlWriter } from './sql-writer.js';
import { Trial, type Outcome, type Stage } from './trial.js';

export interface RaceOptions {
  /** How often each writer says something. */
  turns: number;
  /** Of transactions that append among other things. */
  maxSleepMs: number;
}

interface Writer {
  say: (events: readonly SaidEvent[]) => Promise<void>;
  mostEvents: number;
}

const SINGLE_PUBLISHERS = 6;
const BATCH_PUBLISHERS = 4;
const SQL_WRITERS = 6;

/**
 * F15. In each organisation sixteen writers at once, some of which take their time between append and commit, and three readers
 * that follow from the beginning: all of them must see the log as it stands in the end.
 */
export async function racingWriters(stage: Stage, options: RaceOptions): Promise<Outcome> {
  const trial = new Trial(stage);
  await Promise.all(stage.organisations.map((organisation) => race(trial, organisation, options)));
  return trial.outcome();
}

async function race(trial: Trial, organisation: Organisation, { turns, maxSleepMs }: RaceOptions): Promise<void> {
  const { stage, ledger, random } = trial;
  const sqlWriters = await Promise.all(
    Array.from({ length: SQL_WRITERS }, () =>
      SqlWriter.connect({
        databaseUrl: stage.database.url,
        orgcode: organisation.orgcode,
        ledger,
        random: random.branch(),
        maxSleepMs,
      }),
    ),
  );
  const publishers = Array.from(
    { length: SINGLE_PUBLISHERS + BATCH_PUBLISHERS },
    () => new Publisher({ organisation, doors: stage.doors, ledger, random: random.branch() }),
  );
  const writers: Writer[] = [
    ...publishers.map((one, i) => ({ say: one.say.bind(one), mostEvents: i < SINGLE_PUBLISHERS ? 1 : 20 })),
    ...sqlWriters.map((one) => ({ say: one.say.bind(one), mostEvents: 3 })),
  ];
  let isOver = false;
  const reading = readersOf(trial, organisation, { pages: [1, 7, 256] }).map((reader) => reader.follow(() => isOver));
  try {
    await Promise.all(writers.map((writer) => saySome(trial, writer, turns)));
  } finally {
    isOver = true;
    await Promise.all(sqlWriters.map((writer) => writer.close()));
    await Promise.all(reading);
  }
}

async function saySome(trial: Trial, { say, mostEvents }: Writer, turns: number): Promise<void> {
  const random = trial.random.branch();
  for (let turn = 0; turn < turns; turn += 1) {
    const count = mostEvents === 1 ? 1 : random.between(2, mostEvents);
    await say(Array.from({ length: count }, () => somethingHappens(random)));
  }
}
