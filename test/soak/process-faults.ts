import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../faults/support/delivery-stage.js';
import type { Fleet } from '../faults/support/fleet.js';
import { changed } from '../faults/support/worker-change.js';
import { again } from './again.js';
import { harmless, type Blow, type Fault, type Ground } from './fault.js';
import { busyPlace, heldBy } from './held-deliveries.js';
import { LEASE_MS, WORKERS } from './soak-stage.js';

const LIVES_WRONGLY_MS = 8_000;
/** Longer than a call may take, so that all that were on their way are out of time. */
const WITHIN_LEASE_MS = [7_500, 9_000] as const;
const BEYOND_LEASE_MS = [2_000, 5_000] as const;
/** What who was away comes back with is seen before the next one is struck. */
const COMES_BACK_MS = 2_000;

const HAD = 'deliveries it had';
const REPLACED = 'replaced';

export const PROCESS_FAULTS: readonly Fault[] = [
  { name: 'a worker is killed with -9', target: 'workers', meets: HAD, strike: killedWorker },
  { name: 'a worker is told to stop (SIGTERM)', target: 'workers', meets: REPLACED, strike: replacedWorker },
  {
    name: 'a worker stands still (SIGSTOP) for less than its lease',
    target: 'workers',
    meets: HAD,
    strike: (ground) => stoppedWorker(ground, ground.random.between(...WITHIN_LEASE_MS)),
  },
  {
    name: 'a worker stands still (SIGSTOP) beyond its lease',
    target: 'workers',
    meets: HAD,
    strike: (ground) => stoppedWorker(ground, LEASE_MS + ground.random.between(...BEYOND_LEASE_MS)),
  },
  { name: "a worker's line to Postgres freezes beyond its lease", target: 'workers', meets: HAD, strike: frozenLine },
  { name: "a worker's clock is an hour off", target: 'workers', meets: REPLACED, strike: wrongClock },
  { name: 'an API is killed with -9', target: 'apis', meets: REPLACED, strike: killedApi },
  { name: 'an API is told to stop (SIGTERM)', target: 'apis', meets: REPLACED, strike: replacedApi },
];

async function killedWorker({ stage, random }: Ground): Promise<Blow> {
  const place = await busyPlace(stage, random);
  stage.workers.at(place).child.kill('SIGSTOP'); // so that what it has is what it is killed with
  const held = await heldBy(stage, place);
  await stage.workers.kill(place);
  await sleep(random.between(0, 3_000));
  await replaced(stage.workers, place);
  return { met: held, extraAtMost: held };
}

async function replacedWorker({ stage, random }: Ground): Promise<Blow> {
  const place = await busyPlace(stage, random);
  await stage.workers.at(place).stop('SIGTERM');
  await replaced(stage.workers, place);
  return harmless();
}

/** However long: what it has extended last may be over when it goes on. */
async function stoppedWorker({ stage, random }: Ground, forMs: number): Promise<Blow> {
  const place = await busyPlace(stage, random);
  const { child } = stage.workers.at(place);
  child.kill('SIGSTOP');
  const held = await heldBy(stage, place);
  await sleep(forMs);
  child.kill('SIGCONT');
  await sleep(COMES_BACK_MS);
  return { met: held, extraAtMost: held };
}

/** It goes on with what it has while its lease lasts, and cannot say so; what it is given meanwhile it does not hear of. */
async function frozenLine({ stage, random }: Ground): Promise<Blow> {
  const place = await busyPlace(stage, random);
  const line = stage.lines.workers[place]!;
  line.freeze();
  try {
    const held = await heldBy(stage, place);
    await sleep(LEASE_MS + random.between(...BEYOND_LEASE_MS));
    return { met: held, extraAtMost: held };
  } finally {
    line.thaw();
    await sleep(COMES_BACK_MS);
  }
}

async function wrongClock({ stage, random }: Ground): Promise<Blow> {
  const place = random.between(0, WORKERS - 1);
  await stage.workers.at(place).stop('SIGTERM');
  await replaced(stage.workers, place, changed(random.pick(['an-hour-ahead', 'an-hour-behind'])));
  await sleep(LIVES_WRONGLY_MS);
  await stage.workers.at(place).stop('SIGTERM');
  await replaced(stage.workers, place);
  return harmless();
}

async function killedApi({ stage: { apis }, random }: Ground): Promise<Blow> {
  const place = random.between(0, apis.doors.length - 1);
  await apis.kill(place);
  await sleep(random.between(0, 2_000));
  await replaced(apis, place);
  return harmless();
}

async function replacedApi({ stage: { apis }, random }: Ground): Promise<Blow> {
  const place = random.between(0, apis.doors.length - 1);
  await apis.at(place).stop('SIGTERM');
  await replaced(apis, place);
  return harmless();
}

/** Whoever starts while Postgres is away may not live. */
async function replaced(fleet: Fleet, place: number, more: Settings = {}): Promise<void> {
  await again(() => fleet.replace(place, more));
}
