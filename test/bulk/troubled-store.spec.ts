import { bulkFile } from '../faults/support/bulk-file.js';
import { BulkStage } from '../faults/support/bulk-stage.js';
import { TROUBLES, troubledStore } from '../faults/support/absent-store.js';
import { expectNothingWrong } from '../faults/support/trial.js';
import { LateReports } from '../../src/bulk/late-reports.service.js';
import { TestApi } from '../support/api.js';
import { s3Environment, type SeenJob } from '../support/bulk-scene.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

const STEP_MS = 1_500;

/** F13 in small: the store of files, instead of the disk of Postgres. */
describe('an object store in trouble', () => {
  let stage: BulkStage;
  afterEach(() => stage.close());

  it('that is full, away, slow, cuts bodies and loses answers makes jobs wait, and no more', async () => {
    stage = await BulkStage.open();
    const { full, away, slow, cutting, forgetful } = TROUBLES;
    const outcome = await troubledStore(stage, [full, cutting, forgetful, slow, away, cutting], STEP_MS);
    expectNothingWrong(outcome);
    expect(outcome.figures.waits).toBeGreaterThan(1);
  });

  it('sabotaged, nobody waits for it: turns red', async () => {
    stage = await BulkStage.open({ BULK_STORE_PATIENCE_SECONDS: '1' });
    const { complaints } = await troubledStore(stage, [TROUBLES.full], 15_000);
    expect(complaints).toContainEqual('ended: the import is failed (object_store_unavailable)');
  });

  it('that stays away ends a job, and another goes on from where it stood when the store is back', async () => {
    stage = await BulkStage.open({ BULK_STORE_PATIENCE_SECONDS: '2' });
    const scene = await stage.scene();
    const file = bulkFile(stage.random, { lines: 8_000, bad: 80, filling: 3_000 });
    await stage.slowSteps(0.2);
    await stage.server.faults.set({ breakGets: 1 });
    await stage.worker();
    const job = await scene.imported(file.text);
    await until(async () => Number((await stage.place(scene, job.job_id)).steps) > 1_000, 30_000);
    await stage.server.faults.set(TROUBLES.away);
    const failed = await scene.ended(job.job_id, 60_000);
    await stage.server.faults.set({});
    const stoodAt = Number(failed.output?.line_count);
    expect(failed.failure?.error_tag).toBe('object_store_unavailable');
    expect(stoodAt).toBeLessThan(file.lineCount);
    const { job: next } = await scene.done<{ job: SeenJob }>('bulk/import/continue', { job_id: job.job_id });
    const ended = await scene.ended(next.job_id, 60_000);
    expect(ended).toMatchObject({ status: 'completed', input: { resume_from_line: stoodAt + 1 } });
    const tidy = await TestApi.startOn(stage.database, s3Environment(stage.server));
    await tidy.app.get(LateReports).run();
    await tidy.app.close();
    const lines = [job.job_id, next.job_id].map(async (id) => {
      const { report_url } = await scene.job(id);
      return (await scene.lines<{ line: number }>(report_url)).map(({ line }) => line);
    });
    expect((await Promise.all(lines)).flat()).toEqual(file.badLines);
    expect(await scene.logged()).toEqual(file.events.map(({ event_id }) => event_id));
  });

  it('refuses a commit that can be made again, and loses no upload', async () => {
    stage = await BulkStage.open();
    const scene = await stage.scene();
    const { job, upload_url } = await scene.done<{ job: SeenJob; upload_url: string }>('bulk/import/create');
    await scene.upload(upload_url, '[]\n');
    const commit = { job_id: job.job_id, expected_revision: job.revision };
    await stage.server.faults.set(TROUBLES.full);
    const refused = await scene.call('bulk/import/commit', commit);
    expect([refused.status, refused.body.error?.error_code, refused.body.error?.retryable]).toEqual([
      503,
      'object_store_unavailable',
      true,
    ]);
    await stage.server.faults.set({ loseAnswers: 2 });
    expect((await scene.call('bulk/import/commit', commit)).status).toBe(200);
    await stage.worker();
    expect(await scene.ended(job.job_id)).toMatchObject({ status: 'completed', output: { error_count: 1 } });
  });
});
