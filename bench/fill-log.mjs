import pg from 'pg';
import { copyIn } from './copy-in.mjs';
import { chunksOfRows, copyStatements, eventRow, keyRow } from './event-rows.mjs';
import { ORGCODES } from './seed-layout.mjs';

const PARTITION_EVENTS = 5_000_000;
/** As many as the product keeps ahead. */
const PARTITIONS_AHEAD = 2;
/** As in event-zones.service.ts. */
const ZONE_EVENTS = 10_000;
const SALT = 4711;
const SAMPLE = 50_000;
const SESSION = `set synchronous_commit = off; set maintenance_work_mem = '1GB'; set max_parallel_maintenance_workers = 2`;

/** What the log says of itself, gathered while its events are written. */
class LogSummary {
  heads = new Float64Array(ORGCODES.length);

  constructor(events) {
    this.zones = Array.from({ length: Math.floor(events / ZONE_EVENTS) }, () => ({ firstMs: Infinity, lastMs: 0 }));
  }

  note(position, org, occurredMs) {
    this.heads[org] = position;
    const zone = this.zones[Math.floor((position - 1) / ZONE_EVENTS)];
    if (!zone) return;
    if (occurredMs < zone.firstMs) zone.firstMs = occurredMs;
    if (occurredMs > zone.lastMs) zone.lastMs = occurredMs;
  }
}

/**
 * Fills an empty, migrated database as its superuser. Two sessions, one for the log and one for its ledger: tables are loaded
 * frozen and without indexes, which are built afterwards.
 */
export async function fillLog(url, layout, progress) {
  const [forEvents, forKeys] = await Promise.all([connect(url), connect(url)]);
  try {
    const summary = new LogSummary(layout.events);
    const filled = [fillEvents(forEvents, layout, summary, progress), fillKeys(forKeys, layout)];
    await Promise.all(filled).finally(() => Promise.allSettled(filled));
    await summarise(forEvents, layout, summary);
    await forEvents.query('vacuum (analyze)');
  } finally {
    await Promise.all([forEvents.end(), forKeys.end()]);
  }
}

/** Disk that an event takes for good, indexes included, as a small copy of the tables has it. */
export async function bytesPerEvent(url, layout) {
  const [events, keys] = ['sample.event', 'sample.event_key'];
  const client = await connect(url);
  try {
    await client.query(`create schema sample; create table ${events} (like event including storage including indexes)`);
    await client.query(`create table ${keys} (like event_key including indexes)`);
    await withoutIndexes(client, events, () =>
      copyIn(client, copyStatements.events(events), chunksOfRows(1, SAMPLE, eventWriter(layout))),
    );
    await withoutIndexes(client, keys, () =>
      copyIn(client, copyStatements.keys(keys), chunksOfRows(1, SAMPLE, keyWriter(layout))),
    );
    const { rows } = await client.query(
      `select (pg_total_relation_size('${events}') + pg_total_relation_size('${keys}'))::int as bytes`,
    );
    await client.query('drop schema sample cascade');
    return rows[0].bytes / SAMPLE;
  } finally {
    await client.end();
  }
}

async function connect(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(SESSION);
  return client;
}

async function fillEvents(client, layout, summary, progress) {
  await makePartitions(client, layout.events);
  const { rows: partitions } = await client.query(
    `select name, from_position::int as "from", to_position::int as "to" from event_partition
     where from_position <= $1 order by from_position`,
    [layout.events],
  );
  const write = eventWriter(layout, summary);
  const begun = performance.now();
  for (const { name, from, to } of partitions) {
    const end = Math.min(to, layout.events + 1);
    await apart(client, { name, from, to }, () =>
      withoutIndexes(client, name, () =>
        copyIn(client, copyStatements.events(name, ', freeze'), chunksOfRows(from, end, write)),
      ),
    );
    const perSecond = (end - 1) / ((performance.now() - begun) / 1000);
    progress(`${end - 1} events with their indexes, ${perSecond.toFixed(0)} a second`);
  }
}

async function makePartitions(client, events) {
  const needed = Math.ceil(events / PARTITION_EVENTS) + PARTITIONS_AHEAD;
  const { rows } = await client.query('select count(*)::int as present from event_partition');
  for (let present = rows[0].present; present < needed; present += 1)
    await client.query('select ipm_add_event_partition($1)', [PARTITION_EVENTS]);
}

/** Indexes of a partition cannot be dropped while it is one. */
async function apart(client, { name, from, to }, work) {
  const range = `check (position >= ${from} and position < ${to})`;
  await client.query(`alter table event detach partition ${name}`);
  await client.query(`alter table ${name} add constraint in_range ${range}`);
  await work();
  await client.query(`alter table event attach partition ${name} for values from (${from}) to (${to})`);
  await client.query(`alter table ${name} drop constraint in_range`);
}

async function fillKeys(client, layout) {
  await withoutIndexes(client, 'event_key', () =>
    copyIn(client, copyStatements.keys('event_key', ', freeze'), chunksOfRows(1, layout.events + 1, keyWriter(layout))),
  );
}

/** In one transaction with TRUNCATE, without which COPY does not freeze. */
async function withoutIndexes(client, table, fill) {
  const { rows: constraints } = await client.query(
    `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
     where conrelid = $1::regclass and contype in ('p', 'u')`,
    [table],
  );
  const { rows: indexes } = await client.query(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
     where indrelid = $1::regclass and not exists (select from pg_constraint where conindid = indexrelid)`,
    [table],
  );
  await client.query(`begin; truncate ${table}`);
  for (const { name } of constraints) await client.query(`alter table ${table} drop constraint ${name}`);
  for (const { name } of indexes) await client.query(`drop index ${name}`);
  await fill();
  for (const { name, definition } of constraints)
    await client.query(`alter table ${table} add constraint ${name} ${definition}`);
  for (const { definition } of indexes) await client.query(definition);
  await client.query('commit');
}

function eventWriter(layout, summary) {
  const templates = ORGCODES.map((orgcode) => layout.kinds.map((kind) => eventRow(orgcode, kind)));
  const row = { position: 0, occurredMs: 0, salt: SALT };
  return (into, at, position) => {
    const org = layout.orgAt(position);
    row.position = position;
    row.occurredMs = layout.occurredMsAt(position);
    summary?.note(position, org, row.occurredMs);
    return templates[org][layout.kindAt(position)].write(into, at, row);
  };
}

function keyWriter(layout) {
  const templates = ORGCODES.map((orgcode) => keyRow(orgcode, layout.kinds[0]));
  const row = { position: 0, occurredMs: 0, salt: SALT };
  return (into, at, position) => {
    row.position = position;
    row.occurredMs = layout.occurredMsAt(position);
    return templates[layout.orgAt(position)].write(into, at, row);
  };
}

/** What the product would have written beside the events. */
async function summarise(client, { events }, { heads, zones }) {
  await client.query('insert into organisation (orgcode) select unnest($1::text[]) on conflict do nothing', [ORGCODES]);
  await client.query(
    `insert into org_head (orgcode, position, appended_at)
     select * from (select unnest($1::text[]) as orgcode, unnest($2::bigint[]) as position, clock_timestamp()) h where position > 0`,
    [ORGCODES, [...heads]],
  );
  await client.query(
    `insert into event_zone (from_position, to_position, first_occurred_at, last_occurred_at)
     select 1 + (n - 1) * $1::bigint, 1 + n * $1::bigint, to_timestamp(first / 1000.0), to_timestamp(last / 1000.0)
     from unnest($2::float8[], $3::float8[]) with ordinality as z(first, last, n)`,
    [ZONE_EVENTS, zones.map(({ firstMs }) => firstMs), zones.map(({ lastMs }) => lastMs)],
  );
  await client.query('update event_partition set full_at = clock_timestamp() where to_position <= $1', [events]);
  await client.query(`select setval('event_position', $1)`, [events]);
}
