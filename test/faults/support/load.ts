import type { Organisation } from './door.js';
import { FeedReader } from './feed-reader.js';
import { Publisher, type Persistence } from './publisher.js';
import { somethingHappens } from './said-event.js';
import type { Trial } from './trial.js';

export interface Load extends Persistence {
  /** Pages of the readers that follow, one reader each. */
  pages: readonly number[];
}

const CLIENTS = 16;
const MOST_EVENTS = 20;

/** Sixteen clients publish, some of them in batches, and readers follow, while `fault` runs; then all come to their end. */
export async function underLoad(trial: Trial, load: Load, fault: () => Promise<void>): Promise<void> {
  const { organisations } = trial.stage;
  let [isOver, isAllSaid] = [false, false];
  const clients = Array.from({ length: CLIENTS }, (_, i) =>
    publishUntil(trial, load, organisations[i % organisations.length]!, i % 4 === 0 ? MOST_EVENTS : 1, () => isOver),
  );
  const readers = organisations.flatMap((organisation) => readersOf(trial, organisation, load));
  const reading = readers.map((reader) => reader.follow(() => isAllSaid));
  try {
    await fault();
  } finally {
    isOver = true;
    await Promise.all(clients);
    isAllSaid = true;
    await Promise.all(reading);
  }
}

export function readersOf({ stage, ledger, random }: Trial, organisation: Organisation, load: Load): FeedReader[] {
  const { pages, mayBreak } = load;
  const common = { organisation, doors: stage.doors, ledger, mayBreak };
  return pages.map((limit) => new FeedReader({ ...common, limit, random: random.branch() }));
}

async function publishUntil(
  { stage, ledger, random }: Trial,
  load: Load,
  organisation: Organisation,
  mostEvents: number,
  isOver: () => boolean,
): Promise<void> {
  const own = random.branch();
  const publisher = new Publisher({ ...load, organisation, doors: stage.doors, ledger, random: own });
  while (!isOver()) {
    await publisher.say(Array.from({ length: own.between(1, mostEvents) }, () => somethingHappens(own)));
  }
}
