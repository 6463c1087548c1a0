import { EventHoldRepository } from '../../src/cdc/event-hold.repository.js';
import { EventCountsRepository } from '../../src/cdc/event-counts.repository.js';
import { EventLogRepository, type AppendOptions, type LogEntry } from '../../src/cdc/event-log.repository.js';
import { EventPartitionRepository } from '../../src/cdc/event-partition.repository.js';
import { EventRetentionRepository } from '../../src/cdc/event-retention.repository.js';
import { EventZoneRepository } from '../../src/cdc/event-zone.repository.js';
import { FeedRepository } from '../../src/cdc/feed.repository.js';
import { RouterCursorRepository } from '../../src/cdc/router-cursor.repository.js';
import type { TestDatabase } from '../support/database.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

const SIZE = 1_000;
const EMPTY_PARTITION = 'event_from_5000001';
const options: AppendOptions = { catalogVersion: null, maxPushAgeSeconds: 60 };
const entry: LogEntry = {
  eventId: 'new',
  occurredAt: '2026-01-01T00:00:00.000000Z',
  service: 's',
  action: 'a',
  logicalGuid: null,
  channelCode: null,
  envelope: '{}',
};

/** A partition for each thing that is done to one, a zone, and readers of the organisation that are behind. */
export async function layOutLog(database: TestDatabase, orgcode: string): Promise<void> {
  await database.asOwner(`select ipm_add_event_partition(${SIZE}) from generate_series(1, 2)`);
  await database.asOwner(`update event_partition set status = 'retiring' where name = '${EMPTY_PARTITION}'`);
  await database.asOwner('insert into event_zone values (1, 1000, now(), now())');
  await database.asOwner(
    'insert into router_cursor (orgcode, position) values ($1, 0) on conflict (orgcode) do update set position = 0',
    [orgcode],
  );
  await database.asOwner(`insert into event_hold (orgcode, holder, position) values ($1, 'export', 0)`, [orgcode]);
}

/** The stretch of the log that holds one event of this organisation and none of another. */
function onlyEventOf({ position }: Inhabitant): { from: bigint; to: bigint } {
  return { from: BigInt(position), to: BigInt(position) + 1n };
}

const eventLogCalls: CallsOf<EventLogRepository> = {
  append: { run: (events, { of }) => events.append(of.orgcode, [entry], options) },
  appendWithin: { run: (events, { db, of }) => events.appendWithin(db, of.orgcode, [entry], options) },
};

const feedCalls: CallsOf<FeedRepository> = {
  wholeStretch: {
    run: async (feed, { of }) => (await feed.wholeStretch(of.orgcode, { after: 0n, before: 5_000_000n }, 10)).rows,
  },
  stretch: {
    run: async (feed, { of }) => {
      const { rows, head } = await feed.stretch(of.orgcode, { after: 0n, before: 5_000_000n }, {}, 10, 10);
      return rows.length + Number(head);
    },
  },
  exported: {
    run: async (feed, { of }) => {
      const bounds = { limit: 10, maxBytes: 1_000_000, scanLimit: 10 };
      return (await feed.exported(of.orgcode, { after: 0n, before: 5_000_000n }, {}, bounds)).events;
    },
  },
  ends: { run: async (feed, { of }) => Number((await feed.ends(of.orgcode)).head) },
  heads: { system: true, run: (feed, { db, of }) => feed.heads(db, [of.orgcode]) },
  backwards: { run: (feed, { of }) => feed.backwards(of.orgcode, { after: 0n, before: 5_000_000n }, 10) },
  at: { run: (feed, { of }) => feed.at(of.orgcode, BigInt(of.position)) },
  positionOf: { run: (feed, { of }) => feed.positionOf(of.orgcode, of.eventId, undefined, 100) },
};

const LATER = new Date('2100-01-01');
const countsCalls: CallsOf<EventCountsRepository> = {
  count: { run: async (counts, { of }) => (await counts.count(of.orgcode, 0n, LATER, 10)).events },
  lookBack: { run: async (counts, { of }) => (await counts.lookBack(of.orgcode, 5_000_000n, LATER, 10)).found },
  lagSeconds: { run: (counts, { of }) => counts.lagSeconds(of.orgcode) },
};

const partitionCalls: CallsOf<EventPartitionRepository> = {
  drawn: { system: true, run: (partitions, { db }) => partitions.drawn(db) },
  all: { system: true, run: (partitions, { db }) => partitions.all(db) },
  add: {
    system: true,
    run: (partitions, { db }) => partitions.add(db, SIZE),
    shows: ({ db }) => db.$queryRaw`select 1 from event_partition offset 3`,
  },
  beginNext: { system: true, run: (partitions, { db }) => partitions.beginNext(db) },
  markFull: {
    system: true,
    run: (partitions, { db }) => partitions.markFull(db, 6_000_000n),
    shows: ({ db }) => db.$queryRaw`select 1 from event_partition where full_at is not null`,
  },
  retire: {
    system: true,
    run: (partitions, { db }) => partitions.retire(db, 'event_from_1'),
    shows: ({ db }) => db.$queryRaw`select 1 from event_partition where name = 'event_from_1' and status = 'retiring'`,
  },
  drop: {
    system: true,
    run: (partitions, { db }) => partitions.drop(db, EMPTY_PARTITION),
    shows: ({ db }) => db.$queryRaw`select 1 where to_regclass(${EMPTY_PARTITION}) is null`,
  },
};

const zoneCalls: CallsOf<EventZoneRepository> = {
  from: { system: true, run: (zones, { db }) => zones.from(db, 0n, 10) },
  end: { system: true, run: (zones, { db }) => zones.end(db) },
  cut: {
    system: true,
    run: (zones, { db }) => zones.cut(db, 1_000n, 2_000n),
    shows: ({ db }) => db.$queryRaw`select 1 from event_zone where from_position = 1000`,
  },
  firstIn: {
    system: true,
    run: (zones, { db, of }) => zones.firstIn(db, onlyEventOf(of).from, onlyEventOf(of).to),
  },
  horizon: {
    system: true,
    run: async (zones, { db }) => void (await zones.horizon(db)), // of transactions, which belong to no organisation
    shows: ({ db }) => new EventZoneRepository().horizon(db),
  },
};

const retentionCalls: CallsOf<EventRetentionRepository> = {
  readersBefore: { system: true, run: (retention, { db }) => retention.readersBefore(db, 5_000_000n) },
  nextShare: { system: true, run: (retention, { db, of }) => retention.nextShare(db, onlyEventOf(of), '') },
  hide: {
    system: true,
    run: (retention, { db, of }) =>
      retention.hide(db, { orgcode: of.orgcode, lastPosition: BigInt(of.position), events: 1n }),
    shows: ({ db, of }) => db.$queryRaw`select 1 from org_head where orgcode = ${of.orgcode} and dropped_to > 0`,
  },
  pruneKeys: {
    system: true,
    run: (retention, { db, of }) => retention.pruneKeys(db, onlyEventOf(of).from, onlyEventOf(of).to),
  },
  lastIn: { system: true, run: (retention, { db, of }) => retention.lastIn(db, onlyEventOf(of)) },
};

/** Where nothing is routed yet. */
const NEW_ORG = 'brand-new';

/** A row lock leaves its transaction in xmax. */
const held = ({ db, of }: CallScene): Promise<unknown> =>
  db.$queryRaw`select 1 from router_cursor where orgcode = ${of.orgcode} and xmax::text = pg_current_xact_id()::text`;

const cursorCalls: CallsOf<RouterCursorRepository> = {
  begin: {
    setFor: NEW_ORG,
    run: (cursors, { db }) => cursors.begin(db, NEW_ORG, 77n),
    shows: ({ db }) => db.$queryRaw`select 1 from router_cursor where orgcode = ${NEW_ORG} and position = 77`,
  },
  hold: {
    run: async (cursors, { db, of }) => Number(await cursors.hold(db, of.orgcode)),
    shows: held,
  },
  taking: {
    system: true,
    run: async (cursors, { db, of }) => (await db.run(cursors.taking(of.orgcode, 10))) !== undefined,
  },
  holdAcross: {
    system: true,
    run: async (cursors, { db, of }) => Number(await cursors.holdAcross(db, of.orgcode)),
    shows: held,
  },
  events: { system: true, run: (cursors, { db, of }) => cursors.events(db, of.orgcode, 0n, 5_000_000n, 10) },
  heading: { system: true, run: async (cursors, { db, of }) => Number(await db.run(cursors.heading(of.orgcode))) },
  moving: {
    system: true,
    run: (cursors, { db, of }) => db.run(cursors.moving(of.orgcode, 1n)),
    shows: ({ db, of }) => db.$queryRaw`select 1 from router_cursor where orgcode = ${of.orgcode} and position = 1`,
  },
  behind: { system: true, run: (cursors, { db }) => cursors.behind(db, 10) },
};

const holdCalls: CallsOf<EventHoldRepository> = {
  hold: {
    run: (holds, { db, of }) => holds.hold(db, of.orgcode, 'spec', 7n),
    shows: ({ db, of }) => db.eventHold.count({ where: { orgcode: of.orgcode, holder: 'spec' } }),
  },
  release: {
    run: (holds, { db, of }) => holds.release(db, of.orgcode, 'export'),
    shows: async ({ db, of }) => (await db.eventHold.count({ where: { orgcode: of.orgcode, holder: 'export' } })) === 0,
  },
};

export const logRepositories: Record<string, RepositoryUnderTest> = {
  EventLogRepository: { make: (database) => new EventLogRepository(database), calls: eventLogCalls },
  EventCountsRepository: { make: (database) => new EventCountsRepository(database), calls: countsCalls },
  FeedRepository: { make: (database) => new FeedRepository(database), calls: feedCalls },
  EventHoldRepository: { make: () => new EventHoldRepository(), calls: holdCalls },
  EventPartitionRepository: { make: () => new EventPartitionRepository(), calls: partitionCalls },
  EventRetentionRepository: { make: () => new EventRetentionRepository(), calls: retentionCalls },
  RouterCursorRepository: { make: () => new RouterCursorRepository(), calls: cursorCalls },
  EventZoneRepository: { make: () => new EventZoneRepository(), calls: zoneCalls },
};
