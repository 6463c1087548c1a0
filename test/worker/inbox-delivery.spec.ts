import { TestApi, type ApiAnswer } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { aFigure, KpiOwner } from '../support/kpis.js';
import { counted } from '../support/metric.js';
import { until } from '../support/until.js';
import { verified, WebhookSink, type Arrival } from '../support/webhook-sink.js';

const SECRET = 'the secret of the inboxes, agreed on';
const PATH = '/base/inbox/notification/create';

describe('alerts for an inbox', () => {
  let database: TestDatabase;
  let api: TestApi;
  let sink: WebhookSink;
  let owner: KpiOwner;
  const workers: TestApi[] = [];

  beforeAll(async () => {
    [database, sink] = [await testDatabase(), await WebhookSink.start()];
    api = await TestApi.startOn(database, { IPM_ROLE: 'api', ...settings() });
  });
  beforeEach(async () => {
    owner = await KpiOwner.of(api);
    sink.answer = () => undefined;
    sink.arrivals.length = 0;
  });
  afterEach(async () => {
    for (const { app } of workers.splice(0)) await app.close();
  });
  afterAll(async () => {
    await api.app.close();
    await sink.stop();
    await database.drop();
  });

  const settings = (): Record<string, string> => ({
    INBOX_SCM_URL: `${sink.url}/base/`,
    INBOX_ICS_URL: 'http://127.0.0.1:9/nobody',
    INBOX_SIGNING_SECRET: SECRET,
    WEBHOOK_RETRY_SCHEDULE: '0,0.2,0.2,0.2,60',
  });
  const aWorker = async (more: Record<string, string> = {}): Promise<TestApi> => {
    const worker = await TestApi.startOn(database, { IPM_ROLE: 'worker', ...settings(), ...more });
    workers.push(worker);
    return worker;
  };
  const emit = (fields: object = {}, of = owner): Promise<ApiAnswer> =>
    of.write('/kpi/alert', {
      alert: {
        ...aFigure(),
        threshold: { comparator: 'gt', value: 1 },
        deliver_to_inbox: true,
        inbox_service: 'scm',
        ...fields,
      },
    });
  const alert = async (alert_id: string, of = owner): Promise<Record<string, unknown>> =>
    (await of.call('/kpi/alert/get', { alert_id })).body.data.alert;
  const becomes = (alert_id: string, delivery_status: string): Promise<void> =>
    until(async () => (await alert(alert_id)).delivery_status === delivery_status);
  const bodyOf = ({ body }: Arrival): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

  it('tell it every field of the request, signed, and keep what it answers', async () => {
    sink.answer = () => ({ body: JSON.stringify({ data: { notification: { notification_id: 'ntf-1' } } }) });
    const told = {
      team_guid: 'team-1',
      title: 'Sales are high',
      body: 'Look at it.',
      notification_id: 'n-1',
      priority: 'show_stopper',
      act_by: '2027-01-01T00:00:00Z',
      status: 'inbox',
      state: 'pending',
    };
    const figure = { logical_guid: 'store-1', dimensions: { floor: 1 } };
    const emitted = await emit({ alert_id: 'a-1', ...told, ...figure });
    expect(emitted.body.data.alert).toMatchObject({ delivery_status: 'pending', revision: '1' });
    await aWorker();
    await becomes('a-1', 'delivered');
    expect(await alert('a-1')).toMatchObject({ inbox_notification_id: 'ntf-1', revision: '2' });
    expect(await alert('a-1')).not.toHaveProperty('delivery_error');
    const [arrival, ...more] = sink.at(PATH);
    expect(more).toEqual([]);
    expect(arrival?.headers['x-orgcode']).toBe(owner.orgcode);
    expect(verified(arrival!, Buffer.from(SECRET).toString('base64'))).toBeTruthy();
    expect(bodyOf(arrival!)).toMatchObject({
      orgcode: owner.orgcode,
      ...told,
      alert: { alert_id: 'a-1', ...figure, value: 12.5, threshold: { comparator: 'gt', value: 1 }, title: told.title },
    });
  });

  it('are told by their own id where none is given', async () => {
    await emit({ alert_id: 'a-2' });
    const worker = await aWorker();
    await becomes('a-2', 'delivered');
    expect(await counted(worker, 'ipm_inbox_attempts_total{inbox="scm",outcome="delivered"}')).toBe(1);
    expect(bodyOf(sink.at(PATH)[0]!).notification_id).toBe('a-2');
    expect(await alert('a-2')).not.toHaveProperty('inbox_notification_id');
  });

  it('stand while it is away, are told again with the same bytes and id, and arrive', async () => {
    sink.answer = (_arrival, howOften) =>
      howOften < 3 ? { status: 503, body: 'down \u001b[31mfor lunch' } : undefined;
    await emit({ alert_id: 'a-3' });
    await aWorker();
    await until(async () => (await alert('a-3')).delivery_error !== undefined);
    expect(await alert('a-3')).toMatchObject({
      delivery_status: 'pending',
      delivery_error: {
        error_tag: 'http_503',
        http_status: 503,
        excerpt: 'down for lunch',
        next_attempt_at: expect.any(String),
      },
    });
    await becomes('a-3', 'delivered');
    const arrivals = sink.at(PATH);
    expect(arrivals).toHaveLength(3);
    expect(new Set(arrivals.map(({ body }) => body)).size).toBe(1);
    for (const name of ['webhook-id', 'idempotency-key'])
      expect(new Set(arrivals.map(({ headers }) => headers[name])).size).toBe(1);
    expect(await alert('a-3')).not.toHaveProperty('delivery_error');
  });

  it('fail after the last attempt, and stay what they are', async () => {
    sink.answer = () => ({ status: 500 });
    await emit({ alert_id: 'a-4' });
    await aWorker({ WEBHOOK_RETRY_SCHEDULE: '0,0.1' });
    await becomes('a-4', 'failed');
    expect(await alert('a-4')).toMatchObject({ delivery_error: { error_tag: 'http_500', attempts: 2 } });
    expect(sink.at(PATH)).toHaveLength(2);
    expect(await owner.alertEvents()).toHaveLength(1);
  });

  it('are told once where three workers look', async () => {
    for (let n = 0; n < 30; n += 1) await emit({ alert_id: `many-${n}` });
    await Promise.all([aWorker(), aWorker(), aWorker()]);
    await until(async () => sink.at(PATH).length >= 30);
    await until(async () => {
      const rows = await database.asOwner<{ open: number }>(
        `select count(*)::int as open from kpi_alert where orgcode = $1 and delivery_status = 'pending'`,
        [owner.orgcode],
      );
      return rows[0]?.open === 0;
    });
    expect(new Set(sink.at(PATH).map((arrival) => bodyOf(arrival).notification_id)).size).toBe(30);
    expect(sink.at(PATH)).toHaveLength(30);
  });

  it('of a worker that is lost are told by the next one, and burn no attempt', async () => {
    await emit({ alert_id: 'a-5' });
    await database.asOwner(
      `update kpi_alert set due_at = now() + interval '1.5 s', fence = 1 where orgcode = $1`, // as a claim leaves it
      [owner.orgcode],
    );
    await aWorker({ WEBHOOK_RETRY_SCHEDULE: '0' });
    await becomes('a-5', 'delivered');
    expect(sink.at(PATH)).toHaveLength(1);
  });

  it('of one organisation with thousands at an inbox that hangs keep nobody else waiting', async () => {
    sink.answer = ({ headers }) => (headers['x-orgcode'] === owner.orgcode ? { afterMs: 8_000 } : undefined);
    await emit({ alert_id: 'noisy' });
    await database.asOwner(
      `insert into kpi_alert (orgcode, alert_id, kpi_code, value, comparator, threshold, scope, bucket, bucket_start, bucket_end, inbox_service, delivery_status, due_at)
       select orgcode, 'noisy-' || n, kpi_code, value, comparator, threshold, scope, bucket, bucket_start, bucket_end, 'scm', 'pending', now() - interval '1 hour'
       from kpi_alert, generate_series(1, 5000) n where orgcode = $1`,
      [owner.orgcode],
    );
    await aWorker();
    await until(async () => sink.arrivals.length > 0);
    const quiet = await KpiOwner.of(api);
    const startedMs = performance.now();
    await emit({ alert_id: 'quiet' }, quiet);
    await until(async () => (await alert('quiet', quiet)).delivery_status === 'delivered');
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    await database.asOwner(`update kpi_alert set delivery_status = 'failed', due_at = null where orgcode = $1`, [
      owner.orgcode,
    ]);
  });

  it.each<[string, WebhookSink['answer'], string | RegExp]>([
    // in the realm of jest, Node's own errors are no Errors, and their codes are not looked at
    ['cuts the connection', () => ({ reset: true }), /^(connection_lost|call_failed)$/],
    ['sends away', () => ({ status: 302, headers: { location: 'http://169.254.169.254/' } }), 'redirect_refused'],
    ['answers without an end', () => ({ status: 500, body: 'x'.repeat(1_000_000) }), 'http_500'],
    ['answers what is no text', () => ({ status: 500, body: '\u0000\u0007\u202e{' }), 'http_500'],
  ])('survive one that %s', async (_what, answer, tag) => {
    sink.answer = answer;
    await emit({ alert_id: 'hostile' });
    await aWorker({ WEBHOOK_RETRY_SCHEDULE: '0' });
    await becomes('hostile', 'failed');
    expect(await alert('hostile')).toMatchObject({ delivery_error: { error_tag: expect.stringMatching(tag) } });
  });

  it('survive an answer whose id is none', async () => {
    sink.answer = () => ({ body: '{"notification_id": {"$ne": 1}}' });
    await emit({ alert_id: 'odd' });
    await aWorker();
    await becomes('odd', 'delivered');
    expect(await alert('odd')).not.toHaveProperty('inbox_notification_id');
  });

  it('are not configured where it has no address, and wait where nobody listens', async () => {
    expect((await emit({ inbox_service: 'pcm' })).body.data.alert.delivery_status).toBe('not_configured');
    await emit({ alert_id: 'a-6', inbox_service: 'ics' });
    await aWorker();
    await until(async () => (await alert('a-6')).delivery_error !== undefined);
    expect(await alert('a-6')).toMatchObject({
      delivery_status: 'pending',
      delivery_error: { error_tag: expect.any(String) },
    });
  });
});
