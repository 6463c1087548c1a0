import type { Organisation } from './door.js';
import { readersOf } from './load.js';
import { logState } from './log-state.js';
import { Publisher } from './publisher.js';
import { somethingHappens, type SaidEvent } from './said-event.js';
import { Trial, type Outcome, type Stage } from './trial.js';

const CLIENTS = 16;
const MOST_TIMES = 5;
const MOST_EVENTS_A_CALL = 6;
/** Of all events: said by the import alone until it has ended. */
const ONLY_IMPORTED = 0.1;

/** Imports events as lines of a file; answers how many it has processed. */
export type Import = (organisation: Organisation, events: readonly SaidEvent[]) => Promise<number>;

/**
 * F14. Each event one to five times, shuffled, by sixteen clients at once through every process, alone, in batches and twice in
 * one batch, and by a bulk import at the same time. All answers about an event name one position, and there it stands, once.
 */
export async function repeatedEvents(stage: Stage, events: number, imports: Import): Promise<Outcome> {
  const trial = new Trial(stage);
  await Promise.all(stage.organisations.map((organisation) => repeat(trial, organisation, events, imports)));
  return trial.outcome();
}

async function repeat(trial: Trial, organisation: Organisation, count: number, imports: Import): Promise<void> {
  const { ledger, random, stage } = trial;
  const events = Array.from({ length: count }, () => somethingHappens(random));
  const onlyImported = events.slice(0, Math.round(count * ONLY_IMPORTED));
  const calls = shuffledCalls(trial, events.slice(onlyImported.length));
  const client = async (): Promise<void> => {
    const publisher = new Publisher({ organisation, doors: stage.doors, ledger, random: random.branch() });
    for (let call = calls.pop(); call; call = calls.pop()) await publisher.say(call);
  };
  const importing = importAll(trial, organisation, events, imports);
  await Promise.all([...Array.from({ length: CLIENTS }, client), importing]);
  await expectInLog(trial, organisation, onlyImported);
  calls.push(onlyImported);
  await client();
  for (const reader of readersOf(trial, organisation, { pages: [7, 256] })) await reader.readToEnd();
}

async function importAll(
  { ledger, random }: Trial,
  organisation: Organisation,
  events: readonly SaidEvent[],
  imports: Import,
): Promise<void> {
  for (const event of events) ledger.says(organisation.orgcode, [event]);
  const lines = random.shuffled([...events, ...events.filter(() => random.happens(0.3))]);
  const processed = await imports(organisation, lines);
  if (processed !== lines.length) ledger.strange(`the import has processed ${processed} of ${lines.length} lines`);
}

/** Nobody else has said these: they are there because the import has put them there. */
async function expectInLog(
  { stage, ledger }: Trial,
  { orgcode }: Organisation,
  events: readonly SaidEvent[],
): Promise<void> {
  const there = new Set((await logState(stage.database, [orgcode])).events.map(({ eventId }) => eventId));
  for (const { event_id } of events)
    if (!there.has(event_id)) ledger.strange(`${event_id} was imported and is not in the log`);
}

function shuffledCalls({ random }: Trial, events: readonly SaidEvent[]): SaidEvent[][] {
  const sayings = events.map((event) => Array.from({ length: random.between(1, MOST_TIMES) }, () => event));
  const all = random.shuffled(sayings.flat());
  const calls: SaidEvent[][] = [];
  while (all.length > 0) calls.push(all.splice(0, random.happens(0.5) ? 1 : random.between(2, MOST_EVENTS_A_CALL)));
  return calls;
}
