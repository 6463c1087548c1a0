import { AGE_CLASSES } from '../../src/delivery/age-classes.js';
import { CatchUpRepository } from '../../src/delivery/catch-up.repository.js';
import { DeliveryRetentionRepository } from '../../src/delivery/delivery-retention.repository.js';
import { DeliveryRepository, type NewDelivery } from '../../src/delivery/delivery.repository.js';
import { LaneHealthRepository, type LaneNotes } from '../../src/delivery/lane-health.repository.js';
import type { LeaseTimes } from '../../src/delivery/lease-times.js';
import { Lease, type LeasedDelivery } from '../../src/delivery/leased-delivery.js';
import { QueueState } from '../../src/delivery/queue-state.repository.js';
import { SettlementRepository, type AttemptResult } from '../../src/delivery/settlement.repository.js';
import type { TestDatabase } from '../support/database.js';
import { LAID_OUT_REPLAY } from './delivery-api-repository-calls.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

const FENCE = 4_000n;
const LOST_FENCE = 4_001n;
/** Numbers of the deliveries that are laid out beside those that everybody has. */
const SENDING = 10;
const LOST = 11;
const DUE = 12;
const SUSPECT = 13;
const GONE = 14;
const WORKER = 'spec';
const NOT_TOLD = { after: '0', to: '0' };
const STRETCH = { after: '0', to: '1' };

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
  await database.asOwner(
    `insert into webhook_replay_item (orgcode, replay_id, lane, position, replay_no) values ($1, '${LAID_OUT_REPLAY}', $2, 0, ${GONE})`,
    [orgcode, lane],
  );
  await database.asOwner(`update webhook set gaps = '[{"after":"0","to":"1"}]', caught_up = $2 where lane = $1`, [
    lane,
    NOT_TOLD,
  ]);
}

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
  inserting: {
    system: true,
    run: async (deliveries, scene) => {
      const { db, of } = scene;
      const [atOnce] = deliveries.inserting(of.orgcode, [newDelivery(scene)], WORKER);
      return (await db.run(atOnce)) !== null;
    },
    shows: ({ db }) => db.$queryRaw`select 1 from delivery where status = 'sending' and replay_no = 0`,
  },
  insert: {
    system: true,
    run: (deliveries, scene) => {
      const { db, of } = scene;
      const later = newDelivery({ ...scene, of: { ...of, position: '77' } }, 'k');
      return deliveries.insert(db, of.orgcode, [newDelivery(scene), later], WORKER);
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
  find: { system: true, run: (backlog, { of }) => backlog.find(of.orgcode, of.webhookId) },
  lock: { system: true, run: (backlog, { db, of }) => backlog.lock(db, of) },
  keep: {
    system: true,
    run: (backlog, { db, of }) => backlog.keep(db, of, { gaps: [], caughtUp: STRETCH }),
    shows: ({ db, of }) => db.webhook.count({ where: { lane: of.lane, caughtUp: { equals: STRETCH } } }),
  },
  told: { run: (backlog, { db, of }) => backlog.told(db, of, NOT_TOLD) },
  bump: {
    system: true,
    run: (backlog, { db, of }) => backlog.bump(db, of.orgcode),
    shows: ({ db, of }) => db.webhookRoll.count({ where: { orgcode: of.orgcode, version: { gt: 1 } } }),
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

const retentionCalls: CallsOf<DeliveryRetentionRepository> = {
  prune: {
    system: true,
    run: async (retention, { db, of }) => {
      await db.$executeRaw`update delivery set position = 0, status = 'delivered' where lane = ${of.lane} and replay_no = 0`;
      await db.$executeRaw`update org_head set dropped_to = 1 where orgcode = ${of.orgcode}`;
      return retention.prune(db, 10, 400);
    },
  },
};

const LEASE = { seconds: 60 } as LeaseTimes;

export const deliveryRepositories: Record<string, RepositoryUnderTest> = {
  DeliveryRepository: { make: (database) => new DeliveryRepository(database, LEASE), calls: deliveryCalls },
  SettlementRepository: { make: (database) => new SettlementRepository(database), calls: settlementCalls },
  LaneHealthRepository: { make: (database) => new LaneHealthRepository(database), calls: laneHealthCalls },
  CatchUpRepository: { make: (database) => new CatchUpRepository(database), calls: catchUpCalls },
  DeliveryRetentionRepository: { make: () => new DeliveryRetentionRepository(), calls: retentionCalls },
  QueueState: {
    make: (database) => new QueueState(database),
    calls: { figures: { system: true, run: async (queue: QueueState) => (await queue.figures()).leases } },
  },
};
