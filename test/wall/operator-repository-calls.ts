import { randomUUID } from 'node:crypto';
import type { DeliveryKey } from '../../src/delivery/delivery-id.js';
import { BulkActRepository } from '../../src/operator/bulk-act.repository.js';
import { DeadLetterActRepository } from '../../src/operator/dead-letter-act.repository.js';
import { DeadLetterRepository, type LetterSearch } from '../../src/operator/dead-letter.repository.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';
import type { Inhabitant } from './two-organisations.js';

/** The one that everybody has, dead. */
const dead = ({ lane, position }: Inhabitant, replayNo = 0): DeliveryKey => ({
  lane,
  position: BigInt(position),
  replayNo,
});
const all = ({ orgcode, webhookId }: Inhabitant): LetterSearch => ({
  statuses: ['dead_failed', 'failed', 'retryable_failed'],
  orgcode,
  webhookId,
  order: 'newest',
  after: { at: new Date('2100-01-01'), lane: 2n ** 40n, position: 0n, replayNo: 0 },
  until: new Date('2100-01-01'),
});

/** What is counted of all, without what the organisation that is set has itself. */
const withoutOthers = async ({ db, of }: CallScene, counted: number): Promise<number> => {
  const [others] = await db.$queryRaw<[{ count: number }]>`
    select ((select count(*) from delivery_dead where orgcode <> ${of.orgcode})
      + (select count(*) from delivery_cancelled where orgcode <> ${of.orgcode}))::int as count`;
  return counted - others.count;
};

const letterCalls: CallsOf<DeadLetterRepository> = {
  find: { run: (letters, { db, of }) => letters.find(db, dead(of)) },
  orgcodeOf: { system: true, run: (letters, { db, of }) => letters.orgcodeOf(db, of.lane) },
  page: { run: (letters, { db, of }) => letters.page(db, all(of), 10) },
  places: { run: (letters, { db, of }) => letters.places(db, all(of), 10) },
  count: { run: (letters, { db, of }) => letters.count(db, all(of), 10) },
  attempts: { run: (letters, { db, of }) => letters.attempts(db, dead(of), 10) },
  acts: { run: (letters, { db, of }) => letters.acts(db, dead(of), 10) },
  firstOf: { run: (letters, { db, of }) => letters.firstOf(db, dead(of, 2)) },
  counts: {
    system: true,
    run: async (letters, scene) => {
      const counts = await letters.counts(scene.db);
      return withoutOthers(scene, counts.dead + counts.cancelled);
    },
  },
  causesSince: {
    system: true,
    run: async (letters, scene) => {
      const causes = await letters.causesSince(scene.db, new Date(0));
      return withoutOthers(
        scene,
        causes.reduce((sum, { count }) => sum + count, 0),
      );
    },
  },
};

const actCalls: CallsOf<DeadLetterActRepository> = {
  lock: { run: (acts, { db, of }) => acts.lock(db, of.orgcode, dead(of)) },
  replay: { run: (acts, { db, of }) => acts.replay(db, of.orgcode, dead(of), undefined) },
  acknowledge: { run: (acts, { db, of }) => acts.acknowledge(db, of.orgcode, dead(of), undefined) },
  note: {
    run: (acts, { db, of }) =>
      acts.note(db, of.orgcode, dead(of), { act: 'acknowledged', actor: 'brand-new', payload: {} }),
    shows: ({ db }) => db.deadLetterAct.count({ where: { actor: 'brand-new' } }),
  },
};

const ordered = async (bulkActs: BulkActRepository, { db }: CallScene): Promise<string> =>
  (await bulkActs.insert(db, { act: 'replay', filter: {}, reason: null })).bulkActId;

const bulkActCalls: CallsOf<BulkActRepository> = {
  insert: { system: true, run: ordered },
  find: { system: true, run: async (bulkActs, scene) => bulkActs.find(scene.db, await ordered(bulkActs, scene)) },
  askToCancel: {
    system: true,
    run: async (bulkActs, scene) => bulkActs.askToCancel(scene.db, await ordered(bulkActs, scene)),
    shows: ({ db }) => db.deadLetterBulkAct.count({ where: { cancelAsked: true } }),
  },
  open: {
    system: true,
    run: async (bulkActs, scene) => {
      await ordered(bulkActs, scene);
      return bulkActs.open(scene.db, 10);
    },
  },
  keep: {
    system: true,
    run: async (bulkActs, scene) => {
      await bulkActs.keep(scene.db, await ordered(bulkActs, scene), { reason: randomUUID() });
      return true;
    },
  },
};

/** Dead letters and what operators do with them. */
export const operatorRepositories: Record<string, RepositoryUnderTest> = {
  DeadLetterRepository: { make: () => new DeadLetterRepository(), calls: letterCalls },
  DeadLetterActRepository: { make: () => new DeadLetterActRepository(), calls: actCalls },
  BulkActRepository: { make: () => new BulkActRepository(), calls: bulkActCalls },
};
