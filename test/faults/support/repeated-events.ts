import type { Organisation } from './door.js';
import { readersOf } from './load.js';
import { Publisher } from './publisher.js';
import { somethingHappens, type SaidEvent } from './said-event.js';
import { Trial, type Outcome, type Stage } from './trial.js';

const CLIENTS = 16;
const MOST_TIMES = 5;
const MOST_EVENTS_A_CALL = 6;

/**
 * F14. Each event one to five times, shuffled, by sixteen clients at once through every process, alone, in batches and twice in
 * one batch. All answers about an event name one position, and there it stands, once. (Bulk import will be a second way in.)
 */
export async function repeatedEvents(stage: Stage, events: number): Promise<Outcome> {
  const trial = new Trial(stage);
  await Promise.all(stage.organisations.map((organisation) => repeat(trial, organisation, events)));
  return trial.outcome();
}

async function repeat(trial: Trial, organisation: Organisation, events: number): Promise<void> {
  const { ledger, random, stage } = trial;
  const calls = shuffledCalls(trial, events);
  const client = async (): Promise<void> => {
    const publisher = new Publisher({ organisation, doors: stage.doors, ledger, random: random.branch() });
    for (let call = calls.pop(); call; call = calls.pop()) await publisher.say(call);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  for (const reader of readersOf(trial, organisation, { pages: [7, 256] })) await reader.readToEnd();
}

function shuffledCalls({ random }: Trial, events: number): SaidEvent[][] {
  const sayings = Array.from({ length: events }, () => {
    const event = somethingHappens(random);
    return Array.from({ length: random.between(1, MOST_TIMES) }, () => event);
  });
  const all = random.shuffled(sayings.flat());
  const calls: SaidEvent[][] = [];
  while (all.length > 0) calls.push(all.splice(0, random.happens(0.5) ? 1 : random.between(2, MOST_EVENTS_A_CALL)));
  return calls;
}
