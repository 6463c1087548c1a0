import {
  OperationRunRepository,
  type Settlement,
  type TakenRun,
} from '../../src/operations/operation-run.repository.js';
import { OperationViewRepository } from '../../src/operations/operation-view.repository.js';
import type { TestDatabase } from '../support/database.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';

const LAID_OUT = 'laid out for the wall';

/** One that waits, for the views to find. */
export async function layOutRun(database: TestDatabase, orgcode: string): Promise<void> {
  await database.asOwner('insert into operation_run (orgcode, type, subject, initiator) values ($1, $2, $2, $2)', [
    orgcode,
    LAID_OUT,
  ]);
}

const operationRun = { type: 'spec', subject: 's', initiator: 'spec' };
const result = { outcome: 'succeeded', counts: {}, message: 'done' } as const;
const settlement: Settlement = {
  source: 'scheduled_reconciler',
  reasonCode: 'spec',
  reasonMessage: 'a spec',
  outcome: 'failed',
  message: 'a spec',
};

const taken = async (runs: OperationRunRepository, { db }: CallScene): Promise<TakenRun> =>
  (await runs.startOrTakeOver(db, operationRun, 60)) ?? { id: 0, takeovers: 0 };
const stale = async (runs: OperationRunRepository, scene: CallScene): Promise<TakenRun> => {
  const run = await taken(runs, scene);
  await scene.db
    .$executeRaw`update operation_run set heartbeat_at = clock_timestamp() - interval '1 hour' where id = ${run.id}`;
  return run;
};
const shownBy =
  (status: string) =>
  ({ db }: CallScene): Promise<unknown> =>
    db.$queryRaw`select 1 from operation_run where type = 'spec' and status = ${status}`;

const operationRunCalls: CallsOf<OperationRunRepository> = {
  startOrTakeOver: { system: true, run: taken },
  takeOver: {
    system: true,
    run: async (runs, scene) => runs.takeOver(scene.db, (await stale(runs, scene)).id, 60),
  },
  queue: { run: (runs, { db, of }) => runs.queue(db, { ...operationRun, orgcode: of.orgcode }) },
  begin: {
    system: true,
    run: async (runs, scene) => runs.begin(scene.db, (await taken(runs, scene)).id),
    shows: shownBy('running'),
  },
  beat: {
    system: true,
    run: async (runs, scene) => runs.beat(scene.db, (await taken(runs, scene)).id, { n: 7 }),
    shows: ({ db }) => db.$queryRaw`select 1 from operation_run where counts ->> 'n' = '7'`,
  },
  beatOwn: {
    system: true,
    run: async (runs, scene) => runs.beatOwn(scene.db, await taken(runs, scene), { n: 7 }),
  },
  leave: {
    system: true,
    run: async (runs, scene) => runs.leave(scene.db, await taken(runs, scene)),
    shows: ({ db }) => db.$queryRaw`select 1 from operation_run where heartbeat_at = 'epoch'`,
  },
  complete: {
    system: true,
    run: async (runs, scene) => runs.complete(scene.db, (await taken(runs, scene)).id, result),
    shows: shownBy('completed'),
  },
  completeOwn: {
    system: true,
    run: async (runs, scene) => runs.completeOwn(scene.db, await taken(runs, scene), result),
  },
  failOwn: {
    system: true,
    run: async (runs, scene) => runs.failOwn(scene.db, await taken(runs, scene), settlement),
  },
  standing: {
    system: true,
    run: async (runs, scene) => {
      await stale(runs, scene);
      return (await runs.standing(scene.db)).likely_stale;
    },
  },
  stale: {
    system: true,
    run: async (runs, scene) => {
      await stale(runs, scene);
      return runs.stale(scene.db, 0, 10);
    },
  },
  settle: {
    system: true,
    run: async (runs, scene) => runs.settle(scene.db, (await stale(runs, scene)).id, settlement),
  },
  forget: {
    system: true,
    run: async (runs, scene) => {
      await runs.complete(scene.db, (await taken(runs, scene)).id, result);
      return runs.forget(scene.db, new Date('2100-01-01'), 1_000);
    },
  },
};

/** Asked as operators ask, for all organisations: the wall alone keeps others out. */
const operationViewCalls: CallsOf<OperationViewRepository> = {
  page: { run: async (runs, { db }) => (await runs.page(db, undefined, { type: LAID_OUT }, undefined, 10)).rows },
  find: {
    run: async (runs, { db, of }) => {
      const [run] = await db.$queryRaw<{ id: number }[]>`select id from operation_run where orgcode = ${of.orgcode}`;
      return run && (await runs.find(db, undefined, run.id));
    },
  },
};

export const operationRepositories: Readonly<Record<string, RepositoryUnderTest>> = {
  OperationRunRepository: { make: () => new OperationRunRepository(), calls: operationRunCalls },
  OperationViewRepository: { make: () => new OperationViewRepository(), calls: operationViewCalls },
};
