import { TestApi } from '../support/api.js';
import { QueueState } from '../../src/delivery/queue-state.repository.js';
import { Database } from '../../src/platform/database/database.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { anEvent } from '../support/events.js';
import { metricIn } from '../support/metric.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

const TOKEN = 'a token for the metrics of a spec';

describe('/metrics', () => {
  let api: TestApi;
  let sink: WebhookSink;
  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({ METRICS_TOKEN: TOKEN, WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' });
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });

  const read = async (headers: Record<string, string>): Promise<{ status: number; text: string }> => {
    const answer = await api.app.getHttpAdapter().getInstance().inject({ url: '/metrics', headers });
    return { status: answer.statusCode, text: answer.payload };
  };
  const text = async (): Promise<string> => (await read({ authorization: `Bearer ${TOKEN}` })).text;

  it('is shown to who has the token, and to nobody else', async () => {
    expect((await read({})).status).toBe(401);
    expect((await read({ authorization: 'Bearer another' })).status).toBe(401);
    expect((await read({ authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    const without = await TestApi.startOn(api.database);
    const answer = await without.app.getHttpAdapter().getInstance().inject({ url: '/metrics' });
    expect(answer.statusCode).toBe(404);
    await without.app.close();
  });

  it('counts deliveries by outcome, and names no organisation and no endpoint', async () => {
    const scene = await DeliveryScene.of(api, sink);
    const webhook = await scene.webhook();
    sink.answer = (_arrival, howOften) => (howOften === 1 ? { status: 503 } : undefined);
    await scene.publish(3);
    await until(() => sink.at(webhook.path).length >= 3);
    let shown = '';
    await until(async () => {
      shown = await text();
      return metricIn(shown, 'ipm_delivery_attempts_total{outcome="http_5xx"}') === 3;
    });
    expect(metricIn(shown, 'ipm_delivery_attempt_seconds_count')).toBe(3);
    expect(metricIn(shown, 'ipm_delivery_window{state="in_flight"}')).toBe(0);
    expect(shown).not.toContain(scene.orgcode);
    expect(shown).not.toContain('127.0.0.1');
  });

  it('counts what is published, refused and called', async () => {
    const scene = await DeliveryScene.of(api, sink);
    const before = await text();
    const [event] = [anEvent()];
    await scene.call('event/publish', { events: [event, event, { nothing: true }] });
    await scene.call('event/publish', { events: [event] });
    const after = await text();
    const grown = (name: string): number => (metricIn(after, name) ?? 0) - (metricIn(before, name) ?? 0);
    expect(
      ['accepted', 'duplicate', 'rejected'].map((outcome) => grown(`ipm_events_published_total{outcome="${outcome}"}`)),
    ).toEqual([1, 2, 1]);
    expect(grown('ipm_http_request_seconds_count{call="event/publish",status="2xx"}')).toBe(2);
    expect(metricIn(after, 'ipm_redis_ready')).toBe(1);
    expect(metricIn(after, 'ipm_event_partitions_ahead')).toEqual(expect.any(Number));
  });

  it('counts deliveries that died', async () => {
    const scene = await DeliveryScene.of(api, sink);
    const webhook = await scene.webhook({ retry_schedule: [0] });
    sink.answer = () => ({ status: 500 });
    await scene.publish(1);
    await until(async () => (metricIn(await text(), 'ipm_delivery_dead_total') ?? 0) >= 1);
    expect(sink.at(webhook.path)).toHaveLength(1);
  });
});

describe('what waits, as /metrics shows it', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await TestApi.start({ IPM_ROLE: 'api' }); // nobody routes or sends: it is laid out by hand
  });
  afterAll(() => api.close());
  const figures = (): ReturnType<QueueState['figures']> => new QueueState(api.app.get(Database)).figures();

  it('is what could be sent, since when, and the oldest event that is not routed', async () => {
    const { asOwner } = api.database;
    const { orgcode } = await api.anOwner();
    const lane = async (id: string, status: string): Promise<string> => {
      const [row] = await asOwner<{ lane: string }>(
        `insert into webhook (orgcode, webhook_id, endpoint_url, status, event_filters, secret_sealed, secret_last4, request_context, reason, source_refs)
         values ($1, $2, 'https://a.example', $3, '[]', 's', 'last', '{}', 'r', '[]') returning lane::text`,
        [orgcode, id, status],
      );
      return row!.lane;
    };
    const [active, paused, spared] = [
      await lane('active', 'active'),
      await lane('paused', 'paused'),
      await lane('spared', 'active'),
    ];
    await asOwner(`insert into webhook_health (orgcode, lane, not_before) values ($1, $2, now() + interval '1 hour')`, [
      orgcode,
      spared,
    ]);
    await asOwner(
      `insert into delivery_due (orgcode, lane, due_at, position, replay_no)
       select $1, lane, now() - age, n, 0 from (values ($2::bigint, interval '5 minutes', 1), ($2, '1 minute', 2), ($2, '-1 hour', 3),
         ($3, '1 day', 4), ($4, '1 day', 5)) d(lane, age, n)`,
      [orgcode, active, paused, spared],
    );
    expect(await figures()).toMatchObject({ due: 2, oldestSeconds: expect.closeTo(300, -2) as number });
  });
});
