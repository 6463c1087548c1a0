import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { newPassword } from '../dist/local/credentials.js';
import { removeFolder } from '../dist/local/remove-folder.js';
import { DurableStores } from './durable-stores.mjs';
import { EVENT_BYTES } from './events.mjs';
import { bytesPerEvent, fillLog } from './fill-log.mjs';
import { notMeasured } from './report.mjs';
import { SeedLayout } from './seed-layout.mjs';

const DATABASE = 'ipm';
/** Sorting for the indexes, write-ahead log, and that nobody else's disk is full. */
const SPARE_BYTES_PER_EVENT = 60;
const SPARE_BYTES = 3e9;
/** Without COPY's write-ahead log, which is as large as the data. */
const WHILE_FILLING = { wal_level: 'minimal', max_wal_senders: '0', autovacuum: 'off' };

/**
 * Stores with a filled log: those kept in the folder `store`, or new ones, which stay if there is a folder `keep`. Answers the
 * stores, what is in them, and how long filling took.
 */
export async function openSeeded({ store, keep, events, eventBytes = EVENT_BYTES }, progress) {
  if (store !== undefined) return openKept(path.resolve(store), progress);
  const home = keep === undefined ? undefined : newHome(path.resolve(keep));
  const stores = await DurableStores.start(progress, home);
  try {
    const seed = { events, eventBytes, seededAtMs: Date.now() };
    const filling = await fill(stores, seed, progress);
    if (home) writeFileSync(noteIn(home.folder), JSON.stringify({ ...seed, password: home.password }), { mode: 0o600 });
    return { stores, layout: new SeedLayout(seed), filling };
  } catch (error) {
    await stores.stop();
    if (home) await removeFolder(stores.cluster);
    throw error;
  }
}

async function openKept(folder, progress) {
  if (!existsSync(noteIn(folder))) {
    throw notMeasured(
      `There is no seeded store in ${folder}: npm run bench -- seed --events 10m --keep ${folder} makes one.`,
    );
  }
  const { password, ...seed } = JSON.parse(readFileSync(noteIn(folder), 'utf8'));
  progress(`${seed.events} events in ${folder}`);
  return { stores: await DurableStores.start(progress, { folder, password }), layout: new SeedLayout(seed) };
}

/** Written when the store is whole: a folder without it holds half of one. */
function noteIn(folder) {
  return path.join(folder, 'seed.json');
}

function newHome(folder) {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0)
    throw notMeasured(`${folder} is not empty: use what is in it with --store, remove it, or name another folder.`);
  return { folder, password: newPassword() };
}

async function fill(stores, seed, progress) {
  const layout = new SeedLayout(seed);
  const bytes = await bytesPerEvent(await stores.database(DATABASE), layout);
  assertRoomFor(layout.events, bytes, stores.cluster);
  await alterSystem(
    stores,
    Object.entries(WHILE_FILLING).map(([name, value]) => `set ${name} = '${value}'`),
  );
  await stores.restartPostgres({ durable: false });
  const begun = performance.now();
  await fillLog(stores.postgres.url(DATABASE), layout, progress);
  const seconds = (performance.now() - begun) / 1000;
  await alterSystem(stores, ['reset all']);
  await stores.restartPostgres({ durable: true });
  execFileSync('sync'); // or the kernel would write for minutes while something is measured
  return { seconds, bytesPerEvent: (await bytesOf(stores.postgres.url(DATABASE))) / layout.events };
}

function assertRoomFor(events, bytes, folder) {
  const { bavail, bsize } = statfsSync(path.dirname(folder));
  const needed = events * (bytes + SPARE_BYTES_PER_EVENT) + SPARE_BYTES;
  if (needed <= bavail * bsize) return;
  const inGb = (number) => (number / 1e9).toFixed(1);
  throw notMeasured(
    `${events} events of ${bytes.toFixed(0)} bytes with all indexes need ${inGb(needed)} GB, ${path.dirname(folder)} has ${inGb(bavail * bsize)} GB left: ` +
      'fewer (--events), smaller ones (--event-bytes), or a folder on another disk (--keep, TMPDIR).',
  );
}

async function alterSystem(stores, changes) {
  await withClient(stores.postgres.url(), async (client) => {
    for (const change of changes) await client.query(`alter system ${change}`);
  });
}

function bytesOf(url) {
  return withClient(url, async (client) => {
    const { rows } = await client.query(
      `select sum(pg_total_relation_size(relid))::float8 as bytes from pg_partition_tree('event')
       union all select pg_total_relation_size('event_key')`,
    );
    return rows[0].bytes + rows[1].bytes;
  });
}

async function withClient(connectionString, work) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
