import { OperationAdapters } from '../../src/operations/operation-adapters.service.js';
import { OperationRetentionSweep } from '../../src/operations/operation-retention.sweep.js';
import { OperationRuns } from '../../src/operations/operation-runs.service.js';
import { operationTypes } from '../../src/operations/operation-types.js';
import { AppError } from '../../src/platform/errors/app-error.js';
import { platformErrors } from '../../src/platform/errors/platform.errors.js';
import type { TestApi } from '../support/api.js';
import { aRun, asOperator, askRuns } from '../support/operation-runs.js';
import { DONE, ReconcilerScene, STALE, standing } from '../support/reconciler-scene.js';

describe('the reconciler of operation runs', () => {
  let scene: ReconcilerScene;
  let api: TestApi;
  beforeAll(async () => {
    scene = await ReconcilerScene.start();
    ({ api } = scene);
  });
  beforeEach(() => scene.rows('delete from operation_run'));
  afterAll(() => scene.close());

  describe('settles a run whose worker is gone', () => {
    it('as failed where nobody knows how to go on, with the evidence', async () => {
      const id = await aRun(api, { ...STALE, type: 'of_another_version' });
      await scene.look();
      expect(await scene.seen(id)).toMatchObject({
        status: 'completed',
        outcome: 'failed',
        freshness_state: 'reconciled_failed',
        reconciled: true,
        operator_message: 'Its worker is gone, and no other knows how to go on.',
        failure_summary: [{ code: 'worker_lost', message: 'Its worker is gone, and no other knows how to go on.' }],
        reconciliation: {
          source: 'scheduled_reconciler',
          reason_code: 'worker_lost',
          reason_message: 'Its worker is gone, and no other knows how to go on.',
          evidence: { status: 'running', heartbeat_at: expect.any(String), threshold_seconds: 300, takeovers: 0 },
        },
      });
      expect((await scene.seen(id)).reconciliation.evidence.silent_seconds).toBeGreaterThanOrEqual(400);
    });

    it('as failed where what it worked on is gone, says its room', async () => {
      scene.knows(standing({ kind: 'gone' }));
      const id = await aRun(api, STALE);
      await scene.look();
      expect(await scene.seen(id)).toMatchObject({
        outcome: 'failed',
        reconciliation: { source: 'adapter_reconciler', reason_code: 'work_gone' },
      });
    });

    it('as it ended, where its worker was lost before it said so', async () => {
      scene.knows(standing({ kind: 'ended', result: DONE }));
      const id = await aRun(api, STALE);
      await scene.look();
      expect(await scene.seen(id)).toMatchObject({
        outcome: 'succeeded',
        freshness_state: 'terminal_normal',
        reconciled: true,
        summary_counts: { steps: 2 },
        operator_message: 'It was done.',
        failure_summary: [],
        reconciliation: { source: 'adapter_reconciler', reason_code: 'work_ended' },
      });
    });

    it('as failed where it has lost one worker after the other without a step in between', async () => {
      let resumed = 0;
      scene.knows(standing({ kind: 'open', work: () => Promise.resolve((resumed += 1) ? DONE : undefined) }));
      const id = await aRun(api, STALE);
      await api.database.asOwner('update operation_run set lost_workers = 10 where id = $1', [id]);
      await scene.look();
      expect(await scene.seen(id)).toMatchObject({
        outcome: 'failed',
        reconciliation: { source: 'scheduled_reconciler', reason_code: 'workers_lost_repeatedly' },
      });
      expect(resumed).toBe(0);
    });

    it('and not one that its own queue holds', async () => {
      scene.knows(standing({ kind: 'held' }));
      const id = await aRun(api, STALE);
      await scene.look();
      expect(await scene.seen(id)).toMatchObject({
        status: 'running',
        freshness_state: 'likely_stale',
        reconciled: false,
      });
    });

    it('and goes on with the others when one cannot be judged', async () => {
      scene.knows(() => Promise.reject(new Error('the room is broken')), 'broken');
      scene.knows(standing({ kind: 'gone' }));
      const [broken, id] = [await aRun(api, { ...STALE, type: 'broken' }), await aRun(api, STALE)];
      await scene.look();
      expect([(await scene.seen(broken)).status, (await scene.seen(id)).status]).toEqual(['running', 'completed']);
    });
  });

  it('resumes what can go on: a new heartbeat, the same run', async () => {
    const worked: number[] = [];
    let silence: unknown;
    scene.knows(
      standing({
        kind: 'open',
        work: async (run) => {
          worked.push(run.id);
          await run.beat({ steps: 1 });
          silence = (await scene.seen(run.id)).diagnostics.evidence.silent_seconds;
          return DONE;
        },
      }),
    );
    const id = await aRun(api, STALE);
    await scene.look();
    expect(worked).toEqual([id]);
    expect(silence).toBeLessThan(5);
    expect(await scene.seen(id)).toMatchObject({
      status: 'completed',
      outcome: 'succeeded',
      reconciled: false,
      freshness_state: 'terminal_normal',
    });
    expect((await scene.seen(id)).diagnostics.evidence).toMatchObject({ takeovers: 1, lost_workers: 0 });
    expect(await api.database.asOwner('select id from operation_run')).toEqual([{ id }]);
  });

  it('resumes at once what a worker has left on purpose, and counts it as no loss', async () => {
    await scene
      .partOf(OperationRuns)
      .run({ type: 'spec', subject: 'left', initiator: 'spec' }, () => Promise.resolve(undefined));
    const [left] = await api.database.asOwner<{ id: number }>('select id from operation_run');
    expect((await scene.seen(left!.id)).diagnostics.evidence).toMatchObject({ left_by_its_worker: true });
    let lost: unknown;
    scene.knows(
      standing({
        kind: 'open',
        work: async (run) => {
          lost = (await scene.seen(run.id)).diagnostics.evidence.lost_workers;
          return DONE;
        },
      }),
    );
    await scene.look();
    expect([lost, (await scene.seen(left!.id)).outcome]).toEqual([0, 'succeeded']);
  });

  it('has nothing to do with a run that failed in the hands of its worker: that says so itself', async () => {
    await scene
      .partOf(OperationRuns)
      .run({ type: 'spec', subject: 'failing', initiator: 'spec' }, () =>
        Promise.reject(new AppError(platformErrors.databaseBusy, { cause: new Error('select secret from nowhere') })),
      );
    const [row] = await api.database.asOwner<{ id: number }>('select id from operation_run');
    const run = await scene.seen(row!.id);
    expect(run).toMatchObject({
      outcome: 'failed',
      freshness_state: 'reconciled_failed',
      reconciliation: {
        source: 'failed_callback',
        reason_code: 'work_failed',
        evidence: { error_code: 'database_busy' },
      },
      failure_summary: [{ code: 'work_failed', message: expect.any(String) }],
    });
    expect(JSON.stringify(run)).not.toContain('secret');
  });

  it('and workers go by the clock of the database', async () => {
    const wrong = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    try {
      await scene.partOf(OperationRuns).run({ type: 'spec', subject: 'clock', initiator: 'spec' }, async (run) => {
        await run.beat({ steps: 1 });
        scene.knows(standing({ kind: 'gone' }));
        await scene.look(scene.other);
        return DONE;
      });
      const [row] = await api.database.asOwner<{ off: number; outcome: string }>(
        `select greatest(abs(extract(epoch from clock_timestamp() - heartbeat_at)), abs(extract(epoch from clock_timestamp() - created_at)),
           abs(extract(epoch from clock_timestamp() - completed_at)))::float8 as off, outcome from operation_run`,
      );
      expect(row!.outcome).toBe('succeeded');
      expect(row!.off).toBeLessThan(10);
    } finally {
      wrong.mockRestore();
    }
  });

  it('knows every kind of long work', () => {
    const known = Object.keys(operationTypes).filter((type) => scene.partOf(OperationAdapters).of(type) !== undefined);
    expect(known).toEqual(Object.keys(operationTypes));
  });

  it('comes to every stale run, however many stay as they are', async () => {
    scene.knows(standing({ kind: 'held' }));
    scene.knows(standing({ kind: 'gone' }), 'behind');
    await api.database.asOwner(
      `insert into operation_run (type, status, subject, initiator, heartbeat_at)
       select 'spec', 'running', 'held/' || n, 'spec', now() - interval '1 hour' from generate_series(1, 250) n`,
    );
    const id = await aRun(api, { ...STALE, type: 'behind' });
    for (let round = 0; round < 4; round += 1) await scene.look();
    expect((await scene.seen(id)).status).toBe('completed');
  });

  it('leaves old runs to a sweep, which forgets them with their events', async () => {
    const [old, young, open] = [await aRun(api), await aRun(api), await aRun(api, { status: 'queued' })];
    await api.database.asOwner(
      `update operation_run set completed_at = case when status = 'completed' then now() - interval '401 days' end, created_at = now() - interval '401 days' where id <> $1`,
      [young],
    );
    await scene.partOf(OperationRetentionSweep).run();
    const left = await api.database.asOwner<{ id: number }>('select id from operation_run order by id');
    expect(left.map(({ id }) => id)).toEqual([young, open]);
    expect((await askRuns(api, `/${old}`, asOperator)).status).toBe(404);
  });
});
