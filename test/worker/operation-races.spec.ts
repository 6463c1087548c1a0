import { setTimeout as sleep } from 'node:timers/promises';
import { OperationHeartbeat, OperationLost } from '../../src/operations/operation-heartbeat.js';
import { OperationRuns } from '../../src/operations/operation-runs.service.js';
import { operationTypes, type OperationType } from '../../src/operations/operation-types.js';
import { TestApi } from '../support/api.js';
import { aRun } from '../support/operation-runs.js';
import { DONE, ReconcilerScene, STALE, standing, stopClocks } from '../support/reconciler-scene.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

describe('the reconciler of operation runs, not alone', () => {
  let scene: ReconcilerScene;
  let api: TestApi;
  beforeAll(async () => {
    scene = await ReconcilerScene.start();
    ({ api } = scene);
  });
  beforeEach(() => scene.rows('delete from operation_run'));
  afterAll(() => scene.close());

  describe('beside a worker that lives', () => {
    const TYPE = 'spec_that_is_stale_soon';
    const types = operationTypes as Record<string, OperationType>;
    beforeAll(() => (types[TYPE] = { label: 'Spec', runningSeconds: 1, queuedSeconds: 60 }));
    afterAll(() => Reflect.deleteProperty(types, TYPE));
    afterEach(() => jest.restoreAllMocks());

    /** A step that takes much longer than the threshold, while both reconcilers look all the time. */
    const trial = async (): Promise<{ resumed: number; takeovers: unknown; outcome: unknown }> => {
      let resumed = 0;
      let isOver = false;
      scene.knows(standing({ kind: 'open', work: () => Promise.resolve((resumed += 1) ? DONE : undefined) }), TYPE);
      const living = scene.partOf(OperationRuns).run({ type: TYPE, subject: 'slow', initiator: 'spec' }, async () => {
        await sleep(3_500);
        return { ...DONE, outcome: 'partially_succeeded' };
      });
      void living.finally(() => (isOver = true));
      while (!isOver) {
        await Promise.all([scene.look(), scene.look(scene.other)]);
        await sleep(100);
      }
      await living;
      const [row] = await api.database.asOwner<{ takeovers: number; outcome: string }>(
        'select takeovers, outcome from operation_run where type = $1',
        [TYPE],
      );
      return { resumed, ...row! };
    };

    it('leaves it the run, however long a step takes', async () => {
      expect(await trial()).toEqual({ resumed: 0, takeovers: 0, outcome: 'partially_succeeded' });
    });

    it('(sabotaged: the worker gives no sign of life while a step lasts, and the run is taken from it)', async () => {
      jest.spyOn(OperationHeartbeat.prototype as unknown as { sign: () => Promise<void> }, 'sign').mockResolvedValue();
      expect(await trial()).toEqual({ resumed: 1, takeovers: 1, outcome: 'succeeded' });
    });
  });

  it('lets work that fails rest before it begins anew, longer each time', async () => {
    const what = { type: 'spec', subject: 'breaks', initiator: 'spec' };
    const runs = scene.partOf(OperationRuns);
    const failing = (): Promise<boolean> => runs.run(what, () => Promise.reject(new Error('it broke')));
    const later = (seconds: number): Promise<unknown> =>
      api.database.asOwner(`update operation_run set completed_at = completed_at - make_interval(secs => ${seconds})`);
    const begun: boolean[] = [];
    for (const waited of [0, 1, 5, 6, 5]) {
      await later(waited);
      begun.push(await failing());
    }
    expect(begun).toEqual([true, false, true, false, true]);
    await later(30);
    expect(await runs.run(what, () => Promise.resolve(DONE))).toBe(true);
    expect(await failing()).toBe(true); // after one that went well nothing has to rest
    expect(await api.database.asOwner('select failed_before from operation_run order by id')).toEqual(
      [0, 1, 2, 3, 0].map((failed_before) => ({ failed_before })),
    );
  });

  it.each([
    [
      'fails',
      () => Promise.reject(new Error('the database is away')),
      { status: 'completed', outcome: 'failed', left: false },
    ],
    ['is done', () => Promise.resolve(DONE), { status: 'completed', outcome: 'succeeded', left: false }],
    ['is left for another', () => Promise.resolve(undefined), { status: 'running', outcome: 'pending', left: true }],
  ])('is told what became of a run that %s while the database is away', async (_what, ends, expected) => {
    const line = await TcpProxy.to(api.database.url);
    const away = await TestApi.startOn({ ...api.database, url: line.urlOf(api.database.url) }, { IPM_ROLE: 'worker' });
    try {
      stopClocks(away);
      const ended = scene.partOf(OperationRuns, away).run({ type: 'spec', subject: 'cut', initiator: 'spec' }, () => {
        line.takeAway();
        return ends();
      });
      await Promise.race([sleep(1_000), ended]);
      line.mode = 'pass';
      await ended;
      const [row] = await api.database.asOwner(
        `select status, outcome, heartbeat_at = 'epoch' as left from operation_run where subject = 'cut'`,
      );
      expect(row).toEqual(expected);
    } finally {
      await away.app.close();
      await line.close();
    }
  });

  it('takes a run from a worker that was frozen, whose word then counts no more', async () => {
    let thaw: () => void = () => undefined;
    const frozen = new Promise<void>((resolve) => (thaw = resolve));
    let refused: unknown;
    const run = scene
      .partOf(OperationRuns)
      .run({ type: 'spec', subject: 'frozen', initiator: 'spec' }, async (running) => {
        await frozen;
        refused = await running.beat({ steps: 99 }).catch((error: unknown) => error);
        return { ...DONE, outcome: 'blocked' };
      });
    await until(async () => (await api.database.asOwner('select 1 from operation_run')).length === 1);
    await api.database.asOwner(`update operation_run set heartbeat_at = clock_timestamp() - interval '1 hour'`);
    scene.knows(standing({ kind: 'open', work: () => Promise.resolve(DONE) }));
    await scene.look(scene.other);
    thaw();
    await run;
    expect(refused).toBeInstanceOf(OperationLost);
    expect(await api.database.asOwner('select outcome, counts, lost_workers from operation_run')).toEqual([
      { outcome: 'succeeded', counts: { steps: 2 }, lost_workers: 1 },
    ]);
  });

  describe('with another at the same time', () => {
    const RUNS = 20;
    beforeEach(async () => {
      await api.database.asOwner(`
        create table settlements (id int);
        create function count_settlement() returns trigger language plpgsql security definer as $$
          begin insert into public.settlements values (new.id); return new; end $$;
        create trigger count_settlement after update of status on operation_run for each row
          when (old.status <> 'completed' and new.status = 'completed') execute function count_settlement()`);
    });
    afterEach(() =>
      api.database.asOwner(
        'drop trigger count_settlement on operation_run; drop function count_settlement; drop table settlements',
      ),
    );
    const bothLook = async (): Promise<void> => {
      for (let round = 0; round < 8; round += 1)
        await Promise.all([scene.look(), scene.look(scene.other), scene.look(), scene.look(scene.other)]);
    };
    const settlements = async (): Promise<number[]> =>
      (await api.database.asOwner<{ id: number }>('select id from settlements order by id')).map(({ id }) => id);

    it('settles each once', async () => {
      scene.knows(standing({ kind: 'gone' }));
      const ids = [];
      for (let i = 0; i < RUNS; i += 1) ids.push(await aRun(api, STALE));
      await bothLook();
      expect(await settlements()).toEqual(ids);
    });

    it('resumes each once', async () => {
      const worked: number[] = [];
      scene.knows(
        standing({
          kind: 'open',
          work: async ({ id }) => {
            worked.push(id);
            await sleep(20);
            return DONE;
          },
        }),
      );
      const ids = [];
      for (let i = 0; i < RUNS; i += 1) ids.push(await aRun(api, STALE));
      await bothLook();
      expect(worked.sort((a, b) => a - b)).toEqual(ids);
      expect(await settlements()).toEqual(ids);
    });
  });
});
