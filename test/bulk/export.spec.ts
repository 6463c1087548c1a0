import { gunzipSync } from 'node:zlib';
import { TestApi } from '../support/api.js';
import { BulkScene, s3Environment, type SeenJob } from '../support/bulk-scene.js';
import { anEvent } from '../support/events.js';
import { counted } from '../support/metric.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';

jest.setTimeout(60_000);

interface Exported {
  event_id: string;
  position: string;
}

describe('an export', () => {
  let server: S3Server;
  let api: TestApi;
  let scene: BulkScene;

  beforeAll(async () => {
    server = await startS3Server();
    api = await TestApi.start(s3Environment(server));
  });
  afterAll(async () => {
    await api.close();
    await server.stop();
  });
  beforeEach(async () => {
    scene = await BulkScene.of(api);
  });
  const published = async (count: number, fields: (n: number) => object = () => ({})): Promise<string[]> => {
    const events = Array.from({ length: count }, (_, n) => anEvent({ ...fields(n) }));
    for (let done = 0; done < count; done += 500)
      await scene.done('event/publish', { events: events.slice(done, done + 500) });
    return events.map(({ event_id }) => event_id as string);
  };
  const exported = async (order: object = {}): Promise<Awaited<ReturnType<BulkScene['ended']>>> => {
    const { job } = await scene.done<{ job: SeenJob }>('bulk/export/create', order);
    return scene.ended(job.job_id);
  };
  const idsIn = async (job: { download_url?: string }): Promise<string[]> =>
    (await scene.lines<Exported>(job.download_url)).map(({ event_id }) => event_id);

  it('holds every event as the feed shows it, in its order', async () => {
    await published(700, (n) => ({ payload: { n, text: 'ä😀\u2028"\\' } }));
    const countedBefore = await counted(api, 'ipm_export_records_total');
    const job = await exported({ service: 'pos' });
    expect(job).toMatchObject({ status: 'completed', job_type: 'export', output: { record_count: 700 } });
    const feed: Exported[] = [];
    for (let token: object | undefined; feed.length < 700;) {
      const page = await scene.done<{ items: Exported[]; next_token: object }>('cdc/list', {
        service: 'pos',
        limit: 256,
        ...(token && { next_token: token }),
      });
      feed.push(...page.items);
      token = page.next_token;
    }
    expect(await scene.lines(job.download_url)).toEqual(feed);
    expect((await counted(api, 'ipm_export_records_total')) - countedBefore).toBe(700);
    expect(await scene.rows('select holder from event_hold')).toEqual([]);
  });

  it('takes what passes its filter', async () => {
    await published(60, (n) => ({
      service: n % 2 === 0 ? 'pos' : 'shop',
      occurred_at: `2026-11-0${(n % 6) + 1}T12:00:00.${String(n).padStart(3, '0')}Z`,
    }));
    const job = await exported({
      service: 'shop',
      from_utc: '2026-11-02T00:00:00Z',
      to_utc: '2026-11-04T12:00:00.003Z',
    });
    const lines = await scene.lines<{ service: string; occurred_at: string }>(job.download_url);
    expect(lines).toHaveLength(10);
    expect(
      lines.every(({ service, occurred_at }) => service === 'shop' && occurred_at < '2026-11-04T12:00:00.003Z'),
    ).toBe(true);
  });

  it('ends at max_records and goes on from there, without a gap or a repetition', async () => {
    const ids = await published(250);
    const parts = [await exported({ service: 'pos', max_records: 100 })];
    for (const new_job_id of ['second', 'third', 'empty']) {
      await scene.done('bulk/export/continue', { job_id: parts.at(-1)!.job_id, new_job_id });
      parts.push(await scene.ended(new_job_id));
    }
    expect(parts.map(({ output }) => output?.record_count)).toEqual([100, 100, 50, 0]);
    const found = await Promise.all(parts.map(idsIn));
    expect(found.flat()).toEqual(ids);
    const more = await published(5);
    const cursor = parts.at(-1)!.output?.next_token as object;
    expect(await idsIn(await exported({ service: 'pos', cursor }))).toEqual(more);
    const refused = await scene.call('bulk/export/create', { service: 'shop', cursor });
    expect([refused.status, refused.body.error?.error_code]).toEqual([400, 'next_token_invalid']);
  });

  it('is written in parts where it is large, packed where it is asked to be, and is an import unchanged', async () => {
    const text = Array.from({ length: 300 }, () => Math.random().toString(36)).join('');
    await published(3_000, () => ({ payload: { text: text + Math.random() } }));
    const plain = await exported();
    expect(Number(plain.output?.size_bytes)).toBeGreaterThan(9 * 1024 * 1024);
    const file = await scene.file(plain.download_url);
    expect(file).toHaveLength(Number(plain.output?.size_bytes));
    const packed = await exported({ gzip: true, max_records: 3_000 });
    const unpacked = gunzipSync(await scene.file(packed.download_url));
    expect(file.subarray(0, unpacked.length).equals(unpacked)).toBe(true);
    const before = await scene.logged();
    const { job_id } = await scene.imported(file);
    expect(await scene.ended(job_id)).toMatchObject({
      output: { processed_count: Number(plain.output?.record_count), error_count: 0 },
    });
    expect(await scene.logged()).toEqual(before);
  });

  it('refuses more than ten million records, and what is no export', async () => {
    expect((await scene.call('bulk/export/create', { max_records: 10_000_001 })).status).toBe(400);
    expect((await scene.call('bulk/export/continue', { job_id: 'none' })).status).toBe(404);
    const { job } = await scene.done<{ job: SeenJob }>('bulk/import/create');
    const crossed = await scene.call('bulk/export/continue', { job_id: job.job_id });
    expect(crossed.body.error?.error_code).toBe('bulk_job_of_other_type');
  });

  it('is one of its id, also of two that are ordered at once', async () => {
    const orders = ['export/create', 'export/create'].map((path) => scene.call(`bulk/${path}`, { job_id: 'mine' }));
    const answers = [...(await Promise.all(orders)), await scene.call('bulk/export/create', { job_id: 'mine' })];
    expect(answers.map(({ status, body }) => [status, body.error?.error_code]).sort()).toEqual([
      [200, undefined],
      [409, 'bulk_job_exists'],
      [409, 'bulk_job_exists'],
    ]);
    await scene.ended('mine');
    const twice = [1, 2].map(() => scene.call('bulk/export/continue', { job_id: 'mine', new_job_id: 'next' }));
    expect((await Promise.all(twice)).map(({ status }) => status).sort()).toEqual([200, 409]);
    const again = await Promise.all([1, 2].map(() => scene.call('bulk/export/continue', { job_id: 'mine' })));
    expect(again.map(({ status }) => status)).toEqual([200, 200]); // without an id they are two
  });

  it('is listed with the others, newest first', async () => {
    const { job: first } = await scene.done<{ job: SeenJob }>('bulk/import/create');
    const second = await exported();
    const list = async (filter: object): Promise<string[]> =>
      (await scene.done<{ items: SeenJob[] }>('bulk/job/list', filter)).items.map(({ job_id }) => job_id);
    expect(await list({})).toEqual([second.job_id, first.job_id]);
    expect(await list({ job_type: 'import' })).toEqual([first.job_id]);
    expect(await list({ status: 'completed' })).toEqual([second.job_id]);
    const page = await scene.done<{ items: SeenJob[]; next_token: object }>('bulk/job/list', { limit: 1 });
    expect(await list({ limit: 1, next_token: page.next_token })).toEqual([first.job_id]);
    expect((await scene.call('bulk/job/list', { status: 'lost' })).status).toBe(400);
  });
});
