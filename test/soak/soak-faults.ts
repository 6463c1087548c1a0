import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscriber } from '../faults/support/delivery-ledger.js';
import type { Settings } from '../faults/support/delivery-stage.js';
import type { Fleet } from '../faults/support/fleet.js';
import type { Random } from '../faults/support/random.js';
import { changed } from '../faults/support/worker-change.js';
import type { SceneWebhook } from '../support/delivery-scene.js';
import type { Endpoints } from './endpoints.js';
import { LEASE_MS, WORKERS, type SoakStage } from './soak-stage.js';

/** What a fault is done to: one at a time. */
type Target = 'postgres' | 'redis' | 'apis' | 'workers' | 'webhooks' | 'endpoints';

export interface Fault {
  name: string;
  target: Target;
  /** Does it, and mends it; answers how many deliveries may arrive once more because of it. */
  strike: (ground: Ground) => Promise<number>;
}

export interface Ground {
  stage: SoakStage;
  endpoints: Endpoints;
  random: Random;
}

/** Calls that a worker has on their way at most. */
const IN_FLIGHT = 256;
const ASK_AGAIN_MS = 100;
const COMES_BACK_WITHIN_MS = 90_000;
const LIVES_WRONGLY_MS = 8_000;
const BUSY_WITHIN_MS = 5_000;

export const FAULTS: readonly Fault[] = [
  { name: 'a worker is killed with -9', target: 'workers', strike: killedWorker },
  { name: 'a worker is told to stop (SIGTERM)', target: 'workers', strike: replacedWorker },
  { name: 'a worker stands still (SIGSTOP) beyond its lease', target: 'workers', strike: stoppedWorker },
  { name: "a worker's clock is an hour off", target: 'workers', strike: wrongClock },
  { name: 'an API is killed with -9', target: 'apis', strike: killedApi },
  { name: 'an API is told to stop (SIGTERM)', target: 'apis', strike: replacedApi },
  { name: 'Postgres is killed with -9', target: 'postgres', strike: killedPostgres },
  { name: 'Redis is killed, comes back empty', target: 'redis', strike: killedRedis },
  { name: 'Redis is emptied', target: 'redis', strike: emptiedRedis },
  { name: 'a webhook is paused for a while', target: 'webhooks', strike: pausedWebhook },
  { name: 'an endpoint fails for a while', target: 'endpoints', strike: failingEndpoint },
];

async function killedWorker({ stage, random }: Ground): Promise<number> {
  const place = await busyPlace(stage, random);
  stage.workers.at(place).child.kill('SIGSTOP'); // so that what it has is what it is killed with
  const held = await heldBy(stage, place);
  await stage.workers.kill(place);
  await sleep(random.between(0, 3_000));
  await replaced(stage.workers, place);
  return held;
}

async function replacedWorker({ stage, random }: Ground): Promise<number> {
  const place = await busyPlace(stage, random);
  await stage.workers.at(place).stop('SIGTERM');
  await replaced(stage.workers, place);
  return 0;
}

async function stoppedWorker({ stage, random }: Ground): Promise<number> {
  const place = await busyPlace(stage, random);
  const { child } = stage.workers.at(place);
  child.kill('SIGSTOP');
  const held = await heldBy(stage, place);
  await sleep(LEASE_MS + random.between(2_000, 5_000));
  child.kill('SIGCONT');
  await sleep(2_000);
  return held;
}

async function wrongClock({ stage, random }: Ground): Promise<number> {
  const place = random.between(0, WORKERS - 1);
  await stage.workers.at(place).stop('SIGTERM');
  await replaced(stage.workers, place, changed(random.pick(['an-hour-ahead', 'an-hour-behind'])));
  await sleep(LIVES_WRONGLY_MS);
  await stage.workers.at(place).stop('SIGTERM');
  await replaced(stage.workers, place);
  return 0;
}

async function killedApi({ stage: { apis }, random }: Ground): Promise<number> {
  const place = random.between(0, apis.doors.length - 1);
  await apis.kill(place);
  await sleep(random.between(0, 2_000));
  await replaced(apis, place);
  return 0;
}

async function replacedApi({ stage: { apis }, random }: Ground): Promise<number> {
  const place = random.between(0, apis.doors.length - 1);
  await apis.at(place).stop('SIGTERM');
  await replaced(apis, place);
  return 0;
}

/** What workers have sent and cannot write down may be sent again. */
async function killedPostgres({ stage, random }: Ground): Promise<number> {
  await stage.postgres.kill(random.pick(['postmaster', 'postmaster and sessions']));
  await sleep(random.between(1_000, 5_000));
  await stage.postgres.start();
  await sleep(3_000);
  return WORKERS * IN_FLIGHT;
}

async function killedRedis({ stage: { redis }, random }: Ground): Promise<number> {
  await redis.kill();
  await sleep(random.between(1_000, 6_000));
  await redis.startEmpty();
  return 0;
}

async function emptiedRedis({ stage: { redis }, random }: Ground): Promise<number> {
  for (let times = random.between(1, 5); times > 0; times -= 1) {
    await redis.flushAll();
    await sleep(300);
  }
  return 0;
}

async function pausedWebhook({ stage, random }: Ground): Promise<number> {
  const webhook = random.pick(stage.ledger.deliveries.webhooks);
  await setTo(stage, webhook, 'paused');
  await sleep(random.between(1_000, 8_000));
  await setTo(stage, webhook, 'active');
  return 0;
}

async function failingEndpoint({ stage, endpoints, random }: Ground): Promise<number> {
  const { path } = random.pick(stage.ledger.deliveries.webhooks);
  endpoints.fails(path);
  await sleep(random.between(2_000, 8_000));
  endpoints.isMended(path);
  return 0;
}

/** Until it is so: answers may be lost, and whoever asks again with the revision of before is refused. */
export async function setTo(stage: SoakStage, { orgcode, webhookId }: Subscriber, status: string): Promise<void> {
  const scene = stage.scenes.find((one) => one.orgcode === orgcode)!;
  const webhook = { webhook_id: webhookId } as SceneWebhook;
  for (const deadline = Date.now() + COMES_BACK_WITHIN_MS; Date.now() < deadline; await sleep(ASK_AGAIN_MS)) {
    if ((await scene.get(webhook)).status === status) return;
    await scene.setStatus(webhook, status);
  }
  throw new Error(`${webhookId} did not become ${status}`);
}

/** Whoever starts while Postgres is away may not live. */
async function replaced(fleet: Fleet, place: number, more: Settings = {}): Promise<void> {
  await again(() => fleet.replace(place, more));
}

/** Of the worker that has most to itself at the moment; of any where none has. */
async function busyPlace(stage: SoakStage, random: Random): Promise<number> {
  for (const deadline = Date.now() + BUSY_WITHIN_MS; Date.now() < deadline; await sleep(20)) {
    const held = await heldAtPlaces(stage);
    const most = Math.max(...held);
    if (most > 0) return held.indexOf(most);
  }
  return random.between(0, WORKERS - 1);
}

async function heldBy(stage: SoakStage, place: number): Promise<number> {
  return (await heldAtPlaces(stage))[place]!;
}

/** How many deliveries each worker has to itself. */
async function heldAtPlaces({ database, workers }: SoakStage): Promise<number[]> {
  const leases = await again(() =>
    database.asOwner<{ worker: string; held: number }>(
      'select worker, sum(cardinality(positions))::int as held from delivery_lease group by worker',
    ),
  );
  const held = new Map(leases.map((lease) => [Number(lease.worker.split(':').at(-1)), lease.held]));
  return workers.pids.map((pid) => held.get(pid!) ?? 0);
}

async function again<T>(act: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + COMES_BACK_WITHIN_MS; ; await sleep(ASK_AGAIN_MS)) {
    try {
      return await act();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
