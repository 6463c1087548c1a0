import { DeliveryFiguresRepository } from '../../src/delivery/delivery-figures.repository.js';
import type { DeliveryKey } from '../../src/delivery/delivery-id.js';
import {
  DeliveryReadingRepository,
  type DeliverySearch,
  type DeliverySource,
} from '../../src/delivery/delivery-reading.repository.js';
import { DeliveryRetryRepository } from '../../src/delivery/delivery-retry.repository.js';
import { ReplayRepository, type NewReplay } from '../../src/delivery/replay.repository.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

/** Queued, where work is laid out. */
export const LAID_OUT_REPLAY = 'at work';
const END = { outcome: 'succeeded', operationRunId: 7 };
const SOURCES: readonly DeliverySource[] = ['all', 'dead', 'queue'];

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
  replayedAs: { run: (retry, { db, of }) => retry.replayedAs(db, of.orgcode, { ...dead(of), replayNo: 1 }) },
  schedule: {
    run: (retry, { db, of }) => retry.schedule(db, of.orgcode, dead(of), 'spec'),
    shows: ({ db, of }) => db.deliveryDue.count({ where: { lane: of.lane, replayNo: 0 } }),
  },
};

const figuresCalls: CallsOf<DeliveryFiguresRepository> = {
  ofWebhook: {
    run: (figures, { db, of }) => db.$queryRaw`select ${figures.ofWebhook()} from webhook w where lane = ${of.lane}`,
  },
  inPeriod: { run: (figures, { db, of }) => figures.inPeriod(db, of.orgcode, new Date(0), new Date('2100-01-01')) },
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
  noteRun: { run: (replays, { db, of }) => replays.noteRun(db, of.orgcode, of.replayId, 7) },
  askToCancel: {
    run: (replays, { db, of }) => replays.askToCancel(db, of.orgcode, LAID_OUT_REPLAY),
    shows: replayShown('cancel_asked'),
  },
  complete: {
    run: (replays, { db, of }) => replays.complete(db, of.orgcode, LAID_OUT_REPLAY, END),
    shows: replayShown('operation_run_id = 7'),
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
  tally: {
    system: true,
    run: (replays, { of }) => replays.tally({ ...of, replayId: LAID_OUT_REPLAY }),
    shows: replayShown('failed = 1'),
  },
};

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** Deliveries and replays from the side of callers. */
export const deliveryApiRepositories: Record<string, RepositoryUnderTest> = {
  DeliveryReadingRepository: { make: () => new DeliveryReadingRepository(), calls: readingCalls },
  DeliveryRetryRepository: { make: () => new DeliveryRetryRepository(), calls: retryCalls },
  DeliveryFiguresRepository: { make: () => new DeliveryFiguresRepository(), calls: figuresCalls },
  ReplayRepository: { make: (database) => new ReplayRepository(database), calls: replayCalls },
};
