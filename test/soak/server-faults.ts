import { setTimeout as sleep } from 'node:timers/promises';
import { TROUBLES } from '../faults/support/absent-store.js';
import { harmless, type Blow, type Fault, type Ground } from './fault.js';
import { heldUntilItsEnd } from './held-deliveries.js';
import { LEASE_MS } from './soak-stage.js';

/**
 * Leases are extended when a quarter of one has passed, by a look each second: so much is left of any when Postgres goes. A worker tries
 * to write what it has four times a second for as long; the last seconds are for its new connections on a busy machine.
 */
const LASTS_WITHOUT_MS = LEASE_MS - LEASE_MS / 4 - 1_000 - 3_000;
const LOST_WITHIN_MS = 5_000;

export const SERVER_FAULTS: readonly Fault[] = [
  { name: 'Postgres is killed with -9', target: 'postgres', meets: 'deliveries on their way', strike: killedPostgres },
  { name: 'answers of Postgres to an API are lost', target: 'apis', meets: 'answers', strike: lostAnswers },
  { name: 'Redis is killed, comes back empty', target: 'redis', meets: 'killed', strike: killedRedis },
  { name: 'Redis is emptied', target: 'redis', meets: 'times', strike: emptiedRedis },
  { name: 'all lines to Redis freeze', target: 'redis', meets: 'lines', strike: frozenRedis },
  { name: 'the store is in trouble', target: 'store', meets: 'requests', strike: troubledStore },
];

/**
 * Who is back before leases run out is told all results, and nothing arrives once more. Otherwise all may that workers had to themselves when
 * it was killed, however much of it they have sent since: they get nothing new without it.
 */
async function killedPostgres({ stage, random }: Ground): Promise<Blow> {
  const held = await heldUntilItsEnd(stage);
  const fromMs = Date.now();
  await stage.postgres.kill(random.pick(['postmaster', 'postmaster and sessions']));
  await sleep(random.between(1_000, 5_000));
  await stage.postgres.start();
  const isInTime = Date.now() - fromMs < LASTS_WITHOUT_MS;
  await sleep(3_000);
  return { met: held, extraAtMost: isInTime ? 0 : held };
}

/** An append was sent, or is committed, and nobody hears of it. */
async function lostAnswers({ stage, random }: Ground): Promise<Blow> {
  const line = random.pick(stage.lines.apis);
  const [before, wanted] = [line.lost, random.between(1, 5)];
  line.lose('ipm_append', random.pick(['sent', 'answered']), wanted);
  for (const deadline = Date.now() + LOST_WITHIN_MS; line.lost - before < wanted && Date.now() < deadline;)
    await sleep(50);
  line.lose('ipm_append', 'sent', 0);
  return harmless(line.lost - before);
}

async function killedRedis({ stage: { redis }, random }: Ground): Promise<Blow> {
  await redis.kill();
  await sleep(random.between(1_000, 6_000));
  await redis.startEmpty();
  return harmless();
}

async function emptiedRedis({ stage: { redis }, random }: Ground): Promise<Blow> {
  const times = random.between(1, 5);
  for (let left = times; left > 0; left -= 1) {
    await redis.flushAll();
    await sleep(300);
  }
  return harmless(times);
}

/** As if the network between them swallowed everything and said nothing. */
async function frozenRedis({ stage: { lines }, random }: Ground): Promise<Blow> {
  const open = lines.redis.openConnections;
  lines.redis.freeze();
  await sleep(random.between(3_000, 15_000));
  lines.redis.thaw();
  return harmless(open);
}

/** Somebody begins a job at that time. */
async function troubledStore({ stage: { store }, bulk, random }: Ground): Promise<Blow> {
  await store.faults.set(TROUBLES[random.pick(Object.keys(TROUBLES) as (keyof typeof TROUBLES)[])]);
  bulk.hurry();
  await sleep(random.between(3_000, 8_000));
  const { disturbed } = await store.faults.read();
  await store.faults.set({});
  return harmless(disturbed);
}
