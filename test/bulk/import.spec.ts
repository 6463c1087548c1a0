import { gzipSync } from 'node:zlib';
import { TestApi } from '../support/api.js';
import { BulkScene, linesOf, s3Environment, type SeenJob } from '../support/bulk-scene.js';
import { anEvent } from '../support/events.js';
import { counted } from '../support/metric.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';

jest.setTimeout(60_000);

const events = (count: number): Record<string, unknown>[] => Array.from({ length: count }, () => anEvent());
const idsOf = (given: readonly Record<string, unknown>[]): unknown[] => given.map(({ event_id }) => event_id);

interface Reported {
  line: number;
  byte_offset: number;
  error_tag: string;
  field?: string;
  excerpt: string;
}

describe('an import', () => {
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

  it('puts the lines of an upload into the log, in their order', async () => {
    const given = events(1_234);
    const { job_id, status, operation_run_id } = await scene.imported(linesOf(given));
    expect(status).toBe('queued');
    const job = await scene.ended(job_id);
    expect(job).toMatchObject({
      status: 'completed',
      job_type: 'import',
      output: { line_count: 1_234, processed_count: 1_234, error_count: 0, skipped_lines: 0 },
    });
    expect(job.report).toBeUndefined();
    expect(job.report_url).toBeUndefined();
    expect(await scene.logged()).toEqual(idsOf(given));
    expect(await scene.rows('select id, type, status, outcome, counts from operation_run')).toEqual([
      expect.objectContaining({
        id: operation_run_id,
        type: 'bulk_import',
        status: 'completed',
        outcome: 'succeeded',
        counts: { line_count: 1_234, processed_count: 1_234, error_count: 0, skipped_lines: 0 },
      }),
    ]);
    const [own] = await scene
      .rows<{ envelope: string }>(`select envelope from event e, (select 'import.completed' as a) x`)
      .then((rows) =>
        rows
          .map(({ envelope }) => JSON.parse(envelope) as Record<string, unknown>)
          .filter(({ action }) => action === 'import.completed'),
      );
    expect(own).toMatchObject({ payload: { job_id, processed_count: 1_234, report_available: false } });
  });

  it('takes what editors and other systems write: CRLF, a byte order mark, blank lines, no last line end', async () => {
    const [a, b, c] = events(3);
    const text = `\ufeff${JSON.stringify(a)}\r\n\r\n   \n${JSON.stringify(b)}\n${JSON.stringify(c)}`;
    const { job_id } = await scene.imported(text, 'application/json');
    expect((await scene.ended(job_id)).output).toEqual({
      line_count: 5,
      processed_count: 3,
      error_count: 0,
      skipped_lines: 2,
    });
    expect(await scene.logged()).toEqual(idsOf([a!, b!, c!]));
  });

  it('unpacks gzip, of several members too', async () => {
    const given = events(40);
    const packed = Buffer.concat([gzipSync(linesOf(given.slice(0, 15))), gzipSync(linesOf(given.slice(15)))]);
    const { job_id } = await scene.imported(packed, 'application/gzip');
    expect((await scene.ended(job_id)).output).toMatchObject({ processed_count: 40 });
    expect(await scene.logged()).toEqual(idsOf(given));
  });

  it('names each bad line and takes the others', async () => {
    const [good, last] = events(2);
    const secret = 'hunter2-SECRET-4711';
    const bad: [string | object, string, string | undefined][] = [
      [`{"password": "${secret}", `, 'event_unreadable', undefined],
      ['[1, 2]', 'event_unreadable', undefined],
      [{ ...anEvent({ payload: { card: secret } }), occurred_at: 'yesterday' }, 'event_invalid', 'occurred_at'],
      [{ ...anEvent(), orgcode: 'another-org' }, 'event_of_other_organisation', 'orgcode'],
      [anEvent({ payload: { text: 'x'.repeat(270_000) } }), 'event_too_large', undefined],
      [{ service: 'pos' }, 'event_invalid', 'event_id'],
    ];
    const lines = [good!, ...bad.map(([line]) => line), last!];
    const seen = (): Promise<number[]> =>
      Promise.all(
        ['processed', 'refused'].map((outcome) => counted(api, `ipm_import_lines_total{outcome="${outcome}"}`)),
      );
    const [processedBefore = 0, refusedBefore = 0] = await seen();
    const { job_id } = await scene.imported(linesOf(lines));
    const job = await scene.ended(job_id);
    expect(job).toMatchObject({
      status: 'completed',
      output: { line_count: 8, processed_count: 2, error_count: 6, skipped_lines: 0 },
      report: { error_count: 6 },
    });
    expect(await seen()).toEqual([processedBefore + 2, refusedBefore + 6]);
    const report = await scene.lines<Reported>(job.report_url);
    expect(report.map(({ line, error_tag, field }) => [line, error_tag, field])).toEqual(
      bad.map(([, tag, field], i) => [i + 2, tag, field]),
    );
    const whole = Buffer.from(linesOf(lines));
    for (const { line, byte_offset } of report)
      expect(whole.subarray(0, byte_offset).toString().split('\n')).toHaveLength(line);
    expect(JSON.stringify(report)).not.toContain(secret);
    expect(report[0]?.excerpt).toContain('"password"');
    expect(await scene.rows('select line from bulk_error')).toEqual([]);
    expect(await scene.rows('select outcome from operation_run')).toEqual([{ outcome: 'partially_succeeded' }]);
    expect(await scene.logged()).toEqual(idsOf([good!, last!]));
  });

  it('reports no more than it may, and says so', async () => {
    const { job_id } = await scene.imported('not json\n'.repeat(10_500));
    const job = await scene.ended(job_id, 40_000);
    expect(job.output).toMatchObject({ line_count: 10_500, error_count: 10_500 });
    const report = await scene.lines<object>(job.report_url);
    expect(report).toHaveLength(10_001);
    expect(report.at(-1)).toMatchObject({ capped: true, named_count: 10_000, error_count: 10_500 });
  });

  it('counts what the log has already as processed', async () => {
    const given = events(10);
    const first = await scene.imported(linesOf([...given, given[3]!]));
    expect((await scene.ended(first.job_id)).output).toMatchObject({ processed_count: 11 });
    const again = await scene.imported(linesOf(given));
    expect((await scene.ended(again.job_id)).output).toMatchObject({ processed_count: 10, error_count: 0 });
    expect(await scene.logged()).toHaveLength(10);
  });

  it('reads what was uploaded at the commit, whatever is uploaded later', async () => {
    const [wanted, other] = events(2);
    const { job, upload_url } = await scene.done<{ job: SeenJob; upload_url: string }>('bulk/import/create');
    await scene.upload(upload_url, linesOf([wanted!]));
    await scene.committed(job);
    expect(await scene.upload(upload_url, linesOf([other!]))).toBe(200);
    expect((await scene.ended(job.job_id)).output).toMatchObject({ processed_count: 1 });
    expect(await scene.logged()).toEqual(idsOf([wanted!]));
  });

  it('continues after the last processed line, or from any other', async () => {
    const given = events(30);
    const first = await scene.imported(linesOf(given));
    await scene.ended(first.job_id);
    const next = async (more: object): Promise<SeenJob> => {
      const { job } = await scene.done<{ job: SeenJob }>('bulk/import/continue', { job_id: first.job_id, ...more });
      return scene.ended(job.job_id);
    };
    expect(await next({ new_job_id: 'rest' })).toMatchObject({
      job_id: 'rest',
      continues: first.job_id,
      input: { resume_from_line: 31 },
      output: { line_count: 30, processed_count: 0, error_count: 0, skipped_lines: 30 },
    });
    expect((await next({ resume_from_line: 11 })).output).toEqual({
      line_count: 30,
      processed_count: 20,
      error_count: 0,
      skipped_lines: 10,
    });
    expect(await scene.logged()).toEqual(idsOf(given));
  });

  it('takes no commit before the upload, none twice, and none of a stale revision', async () => {
    const { job, upload_url } = await scene.done<{ job: SeenJob; upload_url: string }>('bulk/import/create', {
      job_id: 'mine',
    });
    const commit = async (expected_revision?: string): Promise<[number, string | undefined]> => {
      const { status, body } = await scene.call('bulk/import/commit', { job_id: 'mine', expected_revision });
      return [status, body.error?.error_code];
    };
    expect(await commit()).toEqual([428, 'revision_required']);
    expect(await commit(job.revision)).toEqual([409, 'upload_missing']);
    await scene.upload(upload_url, linesOf(events(1)));
    const cut = await scene.call('bulk/import/commit', { job_id: 'mine', expected_revision: '1', size_bytes: 7 });
    expect(cut.body.error?.error_code).toBe('upload_incomplete');
    expect(await commit('99')).toEqual([409, 'revision_stale']);
    const [first, second] = await Promise.all([commit(job.revision), commit(job.revision)]);
    expect([first, second].map(([status]) => status).sort()).toEqual([200, 409]);
    const { revision } = await scene.ended('mine');
    expect(await commit(revision)).toEqual([409, 'lifecycle_step_refused']);
    expect((await scene.call('bulk/import/create', { job_id: 'mine' })).body.error?.error_code).toBe('bulk_job_exists');
    expect((await scene.call('bulk/import/create', { content_type: 'text/csv' })).status).toBe(400);
  });

  it('answers a repeated order with the same job and address', async () => {
    const order = { idempotency_key: 'order-1' };
    const first = await scene.done('bulk/import/create', order);
    expect(await scene.done('bulk/import/create', order)).toEqual(first);
  });

  it('fails where the upload cannot be unpacked, and says what it has done', async () => {
    const given = events(3_000);
    const packed = gzipSync(linesOf(given));
    const { job_id } = await scene.imported(packed.subarray(0, packed.length - 2_000), 'application/gzip');
    const job = await scene.ended(job_id);
    expect(job).toMatchObject({ status: 'failed', failure: { error_tag: 'upload_unreadable' } });
    expect(await scene.logged()).toHaveLength(Number(job.output?.processed_count));
    expect(await scene.rows('select outcome from operation_run')).toEqual([{ outcome: 'failed' }]);
  });

  it('does not unpack what is made to fill a disk', async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, 'x'));
    const { job_id } = await scene.imported(bomb, 'application/gzip');
    expect((await scene.ended(job_id)).failure?.error_tag).toBe('unpacked_too_large');
  });
});
