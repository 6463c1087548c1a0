import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { uploadKey } from '../../src/bulk/bulk-files.js';
import { BulkUpkeep } from '../../src/bulk/bulk-upkeep.service.js';
import { EventPartitions } from '../../src/cdc/event-partitions.service.js';
import { EventRetention } from '../../src/cdc/event-retention.service.js';
import { ObjectStore } from '../../src/platform/object-store/object-store.js';
import { TestApi } from '../support/api.js';
import { BulkScene, linesOf, s3Environment, type SeenJob } from '../support/bulk-scene.js';
import { anEvent } from '../support/events.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';

jest.setTimeout(60_000);

const DAY_MS = 24 * 60 * 60_000;
const inDays = (count: number): Date => new Date(Date.now() + count * DAY_MS);

describe('what is left of bulk jobs', () => {
  let server: S3Server;
  let api: TestApi;
  let scene: BulkScene;
  let store: S3Client;

  beforeAll(async () => {
    server = await startS3Server();
    const limits = { BULK_FILE_DAYS: '3', EVENT_RETENTION_DAYS: '10', EVENT_RETENTION_MAX_DAYS: '20' };
    api = await TestApi.start({ ...s3Environment(server), ...limits, EVENT_PARTITION_SIZE: '1000' });
    const { accessKeyId, secretAccessKey, endpoint, region } = server;
    store = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  });
  afterAll(async () => {
    store.destroy();
    await api.close();
    await server.stop();
  });
  beforeEach(async () => {
    scene = await BulkScene.of(api);
  });
  const upkeep = (now: Date): ReturnType<BulkUpkeep['run']> => api.app.get(BulkUpkeep).run(now);
  /** Names of the objects of this organisation, as far as they say what they are. */
  const objects = async (): Promise<string[]> => {
    const prefixes = (await scene.rows<{ prefix: string }>('select prefix from bulk_job')).map(({ prefix }) => prefix);
    const { Contents = [] } = await store.send(new ListObjectsV2Command({ Bucket: server.bucket }));
    const keys = Contents.map(({ Key = '' }) => Key).filter((key) => prefixes.some((prefix) => key.startsWith(prefix)));
    return keys.map((key) => key.slice(key.lastIndexOf('/') + 1).replace(/-[0-9a-f]+$/, '')).sort();
  };
  const bad = '[]\n';
  const continued = async (jobId: string, new_job_id: string): Promise<void> => {
    await scene.done('bulk/import/continue', { job_id: jobId, new_job_id });
    await scene.ended(new_job_id);
  };
  /** As if it had ended so many days later. */
  const endedLater = (jobId: string, byDays: number): Promise<unknown> =>
    api.database.asOwner(`update bulk_job set ended_at = ended_at + make_interval(days => $2) where job_id = $1`, [
      jobId,
      byDays,
    ]);

  it('an upload that nobody commits expires after a day, with an audit event, and its file goes later', async () => {
    const { job, upload_url } = await scene.done<{ job: SeenJob; upload_url: string }>('bulk/import/create');
    await scene.upload(upload_url, bad);
    expect(await upkeep(inDays(0.99))).toMatchObject({ expired: 0 });
    expect(await upkeep(inDays(1.01))).toMatchObject({ expired: 1, cleared: 0 });
    expect(await scene.job(job.job_id)).toMatchObject({ status: 'failed', failure: { error_tag: 'upload_expired' } });
    const late = await scene.call('bulk/import/commit', { job_id: job.job_id, expected_revision: job.revision });
    expect(late.status).toBe(409);
    const audited = await scene.done<{ items: object[] }>('audit/list', { event_type: 'bulk/import/expire' });
    expect(audited.items).toMatchObject([{ resource_id: job.job_id, actor: 'ipm' }]);
    expect(await objects()).toEqual(['upload']);
    await upkeep(inDays(3.01));
    expect(await objects()).toEqual([]);
  });

  it('of a commit and the end of its time at once one counts', async () => {
    const { job, upload_url } = await scene.done<{ job: SeenJob; upload_url: string }>('bulk/import/create');
    await scene.upload(upload_url, linesOf([anEvent()]));
    const commit = { job_id: job.job_id, expected_revision: job.revision };
    const [{ status }] = await Promise.all([scene.call('bulk/import/commit', commit), upkeep(inDays(1.01))]);
    const ended = await scene.ended(job.job_id);
    expect([status, ended.status]).toEqual(status === 200 ? [200, 'completed'] : [409, 'failed']);
    expect(await objects()).toEqual([status === 200 ? 'input' : 'upload']);
  });

  it('files are deleted after their days, with every copy that a commit has made, and the job says so', async () => {
    const { job_id } = await scene.imported(`${bad}${linesOf([anEvent()])}`);
    await scene.ended(job_id);
    const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create');
    await scene.ended(job.job_id);
    expect(await objects()).toEqual(['events.ndjson', 'input', 'report.ndjson']);
    await upkeep(inDays(2.9));
    expect(await objects()).toHaveLength(3);
    await upkeep(inDays(3.1));
    expect(await objects()).toEqual([]);
    const { download_url, ...seen } = await scene.job(job.job_id);
    expect([download_url, seen.status]).toEqual([undefined, 'completed']);
    expect((await scene.job(job_id)).report_url).toBeUndefined();
    const next = await scene.call('bulk/import/continue', { job_id });
    expect([next.status, next.body.error?.error_code]).toEqual([409, 'upload_gone']);
  });

  it('a copy whose commit died goes with the job', async () => {
    const { job, upload_url } = await scene.done<{ job: SeenJob; upload_url: string }>('bulk/import/create');
    await scene.upload(upload_url, bad);
    const objectStore = api.app.get(ObjectStore);
    const [{ prefix }] = (await scene.rows<{ prefix: string }>('select prefix from bulk_job')) as [{ prefix: string }];
    const pin = objectStore.pin.bind(objectStore);
    jest.spyOn(objectStore, 'pin').mockImplementationOnce(async (...given) => {
      const pinned = await pin(...given);
      jest.spyOn(objectStore, 'delete').mockRejectedValue(new Error('whoever would tidy up is gone'));
      await api.database.asOwner(`update bulk_job set revision = revision + 1 where job_id = $1`, [job.job_id]);
      return pinned;
    });
    const { status } = await scene.call('bulk/import/commit', { job_id: job.job_id, expected_revision: job.revision });
    jest.restoreAllMocks();
    expect(status).toBe(409);
    expect(await objectStore.stat(uploadKey(prefix))).not.toBeNull();
    expect(await objects()).toEqual(['input', 'upload']);
    await upkeep(inDays(1.1));
    await upkeep(inDays(4.2));
    expect(await objects()).toEqual([]);
  });

  it('an upload stays as long as a job that reads it has its files, and goes with the last', async () => {
    const { job_id } = await scene.imported(linesOf([anEvent()]));
    await scene.ended(job_id);
    await continued(job_id, 'second');
    await endedLater('second', 2);
    await upkeep(inDays(4));
    expect(await objects()).toEqual(['input']);
    await continued('second', 'third');
    expect(await scene.job('third')).toMatchObject({ status: 'completed' });
    await endedLater('third', 2);
    await upkeep(inDays(8));
    expect(await objects()).toEqual([]);
  });

  it('jobs are forgotten with the oldest events, and their ids are free again', async () => {
    const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create', { job_id: 'mine' });
    await scene.ended(job.job_id);
    await upkeep(inDays(9.9));
    expect((await scene.call('bulk/job/get', { job_id: 'mine' })).status).toBe(200);
    await upkeep(inDays(10.1));
    expect((await scene.call('bulk/job/get', { job_id: 'mine' })).status).toBe(404);
    await scene.done('bulk/export/create', { job_id: 'mine' });
    expect(await scene.ended('mine')).toMatchObject({ status: 'completed' });
  });

  it('retention waits for an export that is ordered, and no longer than to its end', async () => {
    await scene.done('event/publish', { events: [anEvent()] });
    // No worker takes it: the queue of the organisation is full of jobs that somebody else is at.
    await api.database.asOwner(
      `insert into bulk_job (orgcode, job_id, job_type, status, content_type, prefix, request_context, reason, source_refs, lease_until)
       select $1, 'other ' || n, 'import', 'running', 'application/x-ndjson', 'bulk/other', '{}', 'r', '[]', 'infinity' from generate_series(1, 2) n`,
      [scene.orgcode],
    );
    const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create');
    expect(await api.app.get(EventPartitions).beginDaily(inDays(1.1))).toBe(true);
    await api.app.get(EventPartitions).noteFull();
    expect(await api.app.get(EventRetention).dropOld(inDays(11))).toEqual([]);
    await api.database.asOwner(`delete from bulk_job where job_id like 'other %'`);
    expect(await scene.ended(job.job_id)).toMatchObject({ status: 'completed' });
    expect(await api.app.get(EventRetention).dropOld(inDays(11))).toHaveLength(1);
  });
});
