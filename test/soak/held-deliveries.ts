import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Random } from '../faults/support/random.js';
import { again } from './again.js';
import { WORKERS, type SoakStage } from './soak-stage.js';

const BUSY_WITHIN_MS = 5_000;
/** So many are on their way when a batch has come in, and hurt more than the one that happens to be there. */
const BUSY = 16;

/** What is sent or about to be sent; what is written down of a lease that goes on is not. */
const HELD = `
  select l.worker, count(*)::int as held from delivery_lease l
  cross join lateral unnest(l.lanes, l.positions, l.replay_nos) as u(lane, position, replay_no)
  join delivery d on d.lane = u.lane and d.position = u.position and d.replay_no = u.replay_no and d.fence = l.lease and d.status = 'sending'
  group by l.worker`;

interface Held {
  worker: string;
  held: number;
}

/** Of the worker that has most to itself, as soon as it has much; of any where none has anything. */
export async function busyPlace(stage: SoakStage, random: Random): Promise<number> {
  let place = random.between(0, WORKERS - 1);
  for (const deadline = Date.now() + BUSY_WITHIN_MS; Date.now() < deadline; await sleep(20)) {
    const held = await heldAtPlaces(stage);
    const most = Math.max(...held);
    if (most > 0) place = held.indexOf(most);
    if (most >= BUSY) break;
  }
  return place;
}

export async function heldBy(stage: SoakStage, place: number): Promise<number> {
  return (await heldAtPlaces(stage))[place]!;
}

/** By all workers, from now until this Postgres is killed: its tables are locked until then. */
export async function heldUntilItsEnd({ database }: SoakStage): Promise<number> {
  const session = new pg.Client({ connectionString: database.url });
  session.on('error', () => undefined); // it ends with its server
  await session.connect();
  await session.query('begin; lock table delivery, delivery_lease in share mode');
  const { rows } = await session.query<Held>(HELD);
  return rows.reduce((sum, { held }) => sum + held, 0);
}

/** How many deliveries each worker has to itself. */
async function heldAtPlaces({ database, workers }: SoakStage): Promise<number[]> {
  const rows = await again(() => database.asOwner<Held>(HELD));
  const held = new Map(rows.map((row) => [Number(row.worker.split(':').at(-1)), row.held]));
  return workers.pids.map((pid) => held.get(pid!) ?? 0);
}
