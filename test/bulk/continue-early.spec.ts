import { TestApi } from '../support/api.js';
import { BulkScene, linesOf, s3Environment, type SeenJob } from '../support/bulk-scene.js';
import { anEvent } from '../support/events.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';

describe('a job that has not ended', () => {
  let server: S3Server;
  let api: TestApi;
  let scene: BulkScene;
  beforeAll(async () => {
    server = await startS3Server();
    api = await TestApi.start({ ...s3Environment(server), IPM_ROLE: 'api' });
    scene = await BulkScene.of(api);
  });
  afterAll(async () => {
    await api.close();
    await server.stop();
  });

  const continued = async (route: string, jobId: string): Promise<[number, string | undefined]> => {
    const { status, body } = await scene.call(route, { job_id: jobId });
    return [status, body.error?.error_code];
  };
  const claim = (): Promise<unknown> => api.database.asOwner(`select * from ipm_claim_bulk_jobs(10, 10, '1 minute')`);
  const end = (jobId: string): Promise<unknown> =>
    api.database.asOwner(
      `update bulk_job set status = 'completed', lease_until = null, ended_at = clock_timestamp() where job_id = $1`,
      [jobId],
    );

  it.each([
    ['bulk/import/continue', (): Promise<SeenJob> => scene.imported(linesOf([anEvent()]))],
    [
      'bulk/export/continue',
      async (): Promise<SeenJob> => (await scene.done<{ job: SeenJob }>('bulk/export/create')).job,
    ],
  ])('takes no %s, neither while it waits nor while it runs', async (route, order) => {
    const { job_id, status } = await order();
    expect(status).toBe('queued');
    expect(await continued(route, job_id)).toEqual([409, 'bulk_job_not_ended']);
    await claim();
    expect((await scene.job(job_id)).status).toBe('running');
    expect(await continued(route, job_id)).toEqual([409, 'bulk_job_not_ended']);
    await end(job_id);
    expect(await continued(route, job_id)).toEqual([200, undefined]);
  });

  it('takes none while its upload is awaited', async () => {
    const { job } = await scene.done<{ job: SeenJob }>('bulk/import/create');
    expect(await continued('bulk/import/continue', job.job_id)).toEqual([409, 'bulk_job_not_ended']);
  });
});
