import { AGE_CLASSES } from '../../src/delivery/age-classes.js';
import { CatchUpRepository } from '../../src/delivery/catch-up.repository.js';
import { DeliveryFiguresRepository } from '../../src/delivery/delivery-figures.repository.js';
import type { DeliveryKey } from '../../src/delivery/delivery-id.js';
import {
  DeliveryReadingRepository,
  type DeliverySearch,
  type DeliverySource,
} from '../../src/delivery/delivery-reading.repository.js';
import { DeliveryRetentionRepository } from '../../src/delivery/delivery-retention.repository.js';
import { DeliveryRetryRepository } from '../../src/delivery/delivery-retry.repository.js';
import { DeliveryRepository, type NewDelivery } from '../../src/delivery/delivery.repository.js';
import { LaneHealthRepository, type LaneNotes } from '../../src/delivery/lane-health.repository.js';
import type { LeaseTimes } from '../../src/delivery/lease-times.js';
import { Lease, type LeasedDelivery } from '../../src/delivery/leased-delivery.js';
import { QueueState } from '../../src/delivery/queue-state.repository.js';
import { ReplayRepository, type NewReplay } from '../../src/delivery/replay.repository.js';
import { SettlementRepository, type AttemptResult } from '../../src/delivery/settlement.repository.js';
import type { TestDatabase } from '../support/database.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

const FENCE = 4_000n;
const LOST_FENCE = 4_001n;
/** Numbers of the deliveries that are laid out beside those that everybody has. */
const SENDING = 10;
const LOST = 11;
const DUE = 12;
const SUSPECT = 13;
const WORKER = 'spec';
const LAID_OUT_REPLAY = 'at work';
const END = { outcome: 'succeeded', delivered: 7, failed: 0, operationRunId: 1 };
const SOURCES: readonly DeliverySource[] = ['all', 'dead', 'queue'];

/** What workers would find and do something with: something due, something on its way, something whose worker is lost, a gap. */
export async function layOutWork(
  database: TestDatabase,
  { orgcode, webhookId, lane, position }: Inhabitant,
): Promise<void> {
  await database.asOwner(
    `insert into delivery (orgcode, lane, position, replay_no, status, fence, attempts)
     select $1, $2, $3, n, status::delivery_status, fence, 1 from unnest(array[${SENDING}, ${LOST}, ${DUE}, ${SUSPECT}],
       array['sending', 'sending', 'scheduled', 'scheduled'], array[${FENCE}, ${LOST_FENCE}, null, null]::bigint[]) u(n, status, fence)`,
    [orgcode, lane, position],
  );
  await database.asOwner(
    `insert into delivery_due (orgcode, lane, due_at, position, replay_no, suspect)
     select $1, $2, now(), $3, n, n = ${SUSPECT} from unnest(array[${DUE}, ${SUSPECT}]) n`,
    [orgcode, lane, position],
  );
  await database.asOwner(
    `insert into delivery_lease (lease, lanes, positions, replay_nos, lease_until, worker)
     select fence, array[$1::bigint], array[$2::bigint], array[n], until, '${WORKER}'
     from unnest(array[${FENCE}, ${LOST_FENCE}], array[${SENDING}, ${LOST}], array[now() + '1 day', now() - interval '1 day']) u(fence, n, until)`,
    [lane, position],
  );
  await database.asOwner(
    `insert into webhook_replay (orgcode, replay_id, webhook_id, lane, "only", to_utc, rate, reason)
     values ($1, '${LAID_OUT_REPLAY}', $2, $3, 'all', '2026-01-01T00:00:00Z', 1, 'r')`,
    [orgcode, webhookId, lane],
  );
  await database.asOwner(`update webhook set gaps = '[{"after":"0","to":"1"}]' where lane = $1`, [lane]);
}

/** The one that everybody has, dead. */
const dead = ({ lane, position }: Inhabitant): DeliveryKey => ({ lane, position: BigInt(position), replayNo: 0 });
const everything = ({ lane }: Inhabitant, source: DeliverySource): DeliverySearch => ({
  lane,
  source,
  below: { position: 5_000_000n, replayNo: 0 },
  status: undefined,
  position: undefined,
  from: undefined,
  to: undefined,
});

const newDelivery = ({ of }: CallScene, orderingKey: string | null = null): NewDelivery => ({
  lane: of.lane,
  position: BigInt(of.position) + 1n,
  orderingKey,
  atOnce: orderingKey === null,
});

const leased = ({ lane, position, orgcode }: Inhabitant, lease = new Lease(FENCE, Infinity)): LeasedDelivery => ({
  lane,
  position: BigInt(position),
  replayNo: SENDING,
  orgcode,
  lease,
  attempts: 0,
  lostWith: 0,
  isOrdered: true,
  createdAt: new Date(),
  event: undefined,
});
const attempt: AttemptResult = { httpStatus: 500, durationMs: 7, errorTag: 'http_500', excerpt: 'e' };

const statusShown =
  (status: string) =>
  ({ db, of }: CallScene): Promise<unknown> =>
    db.$queryRaw`select 1 from delivery where lane = ${of.lane} and replay_no = ${SENDING} and status::text = ${status}`;

const deliveryCalls: CallsOf<DeliveryRepository> = {
  insert: {
    system: true,
    run: async (deliveries, scene) => {
      const { db, of } = scene;
      return (
        (await deliveries.insert(db, of.orgcode, [newDelivery(scene)], WORKER)) !== null &&
        (await deliveries.insert(
          db,
          of.orgcode,
          [newDelivery({ ...scene, of: { ...of, position: '77' } }, 'k')],
          WORKER,
        )) === null
      );
    },
    shows: async ({ db }) => {
      const queued = await db.$queryRaw<object[]>`select 1 from delivery_key where ordering_key = 'k'`;
      return queued.length > 0 && db.$queryRaw`select 1 from delivery where status = 'sending' and replay_no = 0`;
    },
  },
  claim: {
    system: true,
    run: (deliveries, { of }) => deliveries.claim([{ lane: of.lane, atMost: 10, rate: 5 }], WORKER),
  },
  insertReplays: {
    system: true,
    run: (deliveries, { of }) =>
      deliveries.insertReplays(of.orgcode, of.lane, [BigInt(of.position)], { atOnce: true, worker: WORKER }),
  },
  extend: { system: true, run: async (deliveries) => (await deliveries.extend([FENCE])).size },
  recover: { system: true, run: (deliveries) => deliveries.recover(10) },
  dueLanes: { system: true, run: (deliveries) => deliveries.dueLanes(0n, 10) },
  suspectLanes: { system: true, run: (deliveries) => deliveries.suspectLanes() },
  cancel: { system: true, run: (deliveries, { of }) => deliveries.cancel(of.lane, 10) },
};

const settlementCalls: CallsOf<SettlementRepository> = {
  delivered: {
    system: true,
    run: (settlement, { of }) => settlement.delivered([{ delivery: leased(of), attempt }], [FENCE]),
    shows: statusShown('delivered'),
  },
  waiting: {
    system: true,
    run: (settlement, { of }) =>
      settlement.waiting([{ delivery: leased(of), attempt, afterMs: 1, letsPass: true }], [FENCE]),
    shows: statusShown('scheduled'),
  },
  dead: {
    run: (settlement, { db, of }) =>
      settlement.dead(db, of.orgcode, [{ delivery: leased(of), attempt, errorTag: 'http_500', reason: 'too_old' }]),
    shows: statusShown('dead'),
  },
};

const notes = ({ orgcode, lane }: Inhabitant): LaneNotes => ({
  orgcode,
  lane,
  activation: 1,
  delivered: 0,
  failed: 1,
  dead: 0,
  counting: 1,
  trailing: 1,
  lastError: { error_tag: 'http_500' },
  ages: Array<number>(AGE_CLASSES).fill(1),
});

const laneHealthCalls: CallsOf<LaneHealthRepository> = {
  note: {
    system: true,
    run: (health, { of }) => health.note([notes(of)]),
    shows: ({ db, of }) => db.webhookHealth.count({ where: { lane: of.lane, consecutiveFailures: 2 } }),
  },
  hold: {
    system: true,
    run: (health, { of }) => health.hold([{ lane: of.lane, forMs: 60_000 }]),
    shows: ({ db, of }) => db.webhookHealth.count({ where: { lane: of.lane, notBefore: { not: null } } }),
  },
};

const catchUpCalls: CallsOf<CatchUpRepository> = {
  lagging: { system: true, run: (backlog) => backlog.lagging(10) },
  lock: { system: true, run: (backlog, { db, of }) => backlog.lock(db, of) },
  keep: {
    system: true,
    run: (backlog, { db, of }) => backlog.keep(db, of, []),
    shows: ({ db, of }) => db.webhook.count({ where: { lane: of.lane, gaps: { equals: [] } } }),
  },
  waiting: { system: true, run: (backlog, { of }) => backlog.waiting(of.lane, 10) },
  outcome: {
    system: true,
    run: async (backlog, { of }) => {
      const { untried, delivered, dead } = await backlog.outcome(of.lane, { after: '0', to: of.position });
      return untried + delivered + dead;
    },
  },
};

const LEASE = { seconds: 60 } as LeaseTimes;

const readingCalls: CallsOf<DeliveryReadingRepository> = {
  webhook: { run: (reading, { db, of }) => reading.webhook(db, of.orgcode, of.webhookId) },
  webhookOfLane: { run: (reading, { db, of }) => reading.webhookOfLane(db, of.orgcode, of.lane) },
  page: {
    run: async (reading, { db, of }) => {
      const pages = await inTurn(SOURCES, (source) => reading.page(db, of.orgcode, everything(of, source), 10, 10));
      return pages.flat();
    },
  },
  scanEnd: {
    run: async (reading, { db, of }) => {
      const ends = await inTurn(SOURCES, (source) => reading.scanEnd(db, of.orgcode, everything(of, source), 1));
      return ends.filter((end) => end !== undefined);
    },
  },
  queued: { run: (reading, { db, of }) => reading.queued(db, of.orgcode, of.lane, 10) },
  find: { run: (reading, { db, of }) => reading.find(db, of.orgcode, dead(of)) },
  attempts: { run: (reading, { db, of }) => reading.attempts(db, of.orgcode, dead(of), 10) },
  events: { run: (reading, { db, of }) => reading.events(db, of.orgcode, [BigInt(of.position)]) },
  dueTimes: {
    run: (reading, { db, of }) => reading.dueTimes(db, of.orgcode, of.lane, [{ ...dead(of), replayNo: 2 }], 10),
  },
  ofEvent: { run: (reading, { db, of }) => reading.ofEvent(db, of.orgcode, BigInt(of.position), 10) },
};

const retryCalls: CallsOf<DeliveryRetryRepository> = {
  lock: { run: (retry, { db, of }) => retry.lock(db, of.orgcode, dead(of)) },
  schedule: {
    run: (retry, { db, of }) => retry.schedule(db, of.orgcode, dead(of)),
    shows: ({ db, of }) => db.deliveryDue.count({ where: { lane: of.lane, replayNo: 0 } }),
  },
};

const figuresCalls: CallsOf<DeliveryFiguresRepository> = {
  lastDay: { run: (figures, { db, of }) => figures.lastDay(db, of.orgcode, of.webhookId) },
  backlog: { run: (figures, { db, of }) => figures.backlog(db, of.orgcode, of.webhookId, 10) },
};

const OPEN_REPLAY = 'open';
const newReplay = ({ webhookId, lane }: Inhabitant): NewReplay => ({
  replayId: OPEN_REPLAY,
  webhookId,
  lane,
  only: 'all',
  service: null,
  fromUtc: null,
  toUtc: '2026-01-01T00:00:00Z',
  rate: 1,
  reason: 'r',
});
const replayShown =
  (column: string) =>
  ({ db, of }: CallScene): Promise<unknown> =>
    db.$queryRawUnsafe(`select 1 from webhook_replay where orgcode = $1 and ${column}`, of.orgcode);

const replayCalls: CallsOf<ReplayRepository> = {
  insert: {
    run: async (replays, { db, of }) => {
      await replays.complete(db, of.orgcode, LAID_OUT_REPLAY, END);
      return replays.insert(db, of.orgcode, newReplay(of));
    },
  },
  find: { run: (replays, { db, of }) => replays.find(db, of.orgcode, of.replayId) },
  askToCancel: {
    run: (replays, { db, of }) => replays.askToCancel(db, of.orgcode, LAID_OUT_REPLAY),
    shows: replayShown('cancel_asked'),
  },
  complete: {
    run: (replays, { db, of }) => replays.complete(db, of.orgcode, LAID_OUT_REPLAY, END),
    shows: replayShown('delivered = 7'),
  },
  open: { system: true, run: (replays) => replays.open(10) },
  read: { run: (replays, { of }) => replays.read(of) },
  keep: {
    run: (replays, { of }) => replays.keep({ ...of, replayId: LAID_OUT_REPLAY }, { matched: 7 }),
  },
  queue: {
    system: true,
    run: (replays, { of }) =>
      replays.queue({ ...of, replayId: LAID_OUT_REPLAY } as never, [BigInt(of.position)], BigInt(of.position)),
    shows: replayShown('queued = 1'),
  },
  only: {
    system: true,
    run: async (replays, { db, of }) => {
      await db.$executeRaw`update delivery set status = 'dead' where lane = ${of.lane}`; // or a replay has delivered it
      return replays.only(of.lane, 'failed', [BigInt(of.position)]);
    },
  },
  outcome: {
    system: true,
    run: async (replays, { of }) => {
      const since = { lane: of.lane, createdAt: new Date(0), countedTo: BigInt(of.position) };
      const { open, delivered, failed } = await replays.outcome(since as never);
      return open + delivered + failed;
    },
  },
};

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

export const deliveryRepositories: Record<string, RepositoryUnderTest> = {
  DeliveryRepository: { make: (database) => new DeliveryRepository(database, LEASE), calls: deliveryCalls },
  SettlementRepository: { make: (database) => new SettlementRepository(database), calls: settlementCalls },
  LaneHealthRepository: { make: (database) => new LaneHealthRepository(database), calls: laneHealthCalls },
  CatchUpRepository: { make: (database) => new CatchUpRepository(database), calls: catchUpCalls },
  DeliveryReadingRepository: { make: () => new DeliveryReadingRepository(), calls: readingCalls },
  DeliveryRetryRepository: { make: () => new DeliveryRetryRepository(), calls: retryCalls },
  DeliveryFiguresRepository: { make: () => new DeliveryFiguresRepository(), calls: figuresCalls },
  ReplayRepository: { make: (database) => new ReplayRepository(database), calls: replayCalls },
  DeliveryRetentionRepository: {
    make: () => new DeliveryRetentionRepository(),
    calls: {
      prune: {
        system: true,
        run: async (retention: DeliveryRetentionRepository, { db, of }) => {
          await db.$executeRaw`update delivery set position = 0, status = 'delivered' where lane = ${of.lane} and replay_no = 0`;
          await db.$executeRaw`update org_head set dropped_to = 1 where orgcode = ${of.orgcode}`;
          return retention.prune(db, 10, 400);
        },
      },
    } satisfies CallsOf<DeliveryRetentionRepository>,
  },
  QueueState: {
    make: (database) => new QueueState(database),
    calls: { figures: { system: true, run: async (queue: QueueState) => (await queue.figures()).leases } },
  },
};
