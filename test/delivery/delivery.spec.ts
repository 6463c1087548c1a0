import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { verified, WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

describe('deliveries', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let scene: DeliveryScene;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({
      WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
      WEBHOOK_RETRY_SCHEDULE: '0,0.1,0.2,0.4',
    });
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });
  beforeEach(async () => {
    sink.answer = () => undefined;
    scene = await DeliveryScene.of(api, sink);
  });

  it('bring every event to every webhook that wants it, once, signed, with the envelope as its body', async () => {
    const first = await scene.webhook();
    const second = await scene.webhook({ event_filters: [{ service: 'pos', actions: ['basket.*'] }] });
    const other = await scene.webhook({ event_filters: [{ service: 'pim' }] });
    const ids = await scene.publish(300);
    await until(() => sink.at(first.path).length >= 300 && sink.at(second.path).length >= 300);
    for (const webhook of [first, second]) {
      const arrivals = sink.at(webhook.path);
      expect(arrivals.map(({ eventId }) => eventId).sort()).toEqual([...ids].sort());
      for (const arrival of arrivals)
        expect(verified(arrival, webhook.signing_secret)).toMatchObject({ orgcode: scene.orgcode });
    }
    expect(sink.at(other.path)).toEqual([]);
    await until(async () => (await scene.statuses()).delivered === 600);
    await until(
      async () => (await scene.rows('select lease from delivery_lease cross join organisation')).length === 0,
    );
  });

  it('are tried again after each wait of the schedule, until one is taken', async () => {
    const webhook = await scene.webhook();
    sink.answer = (_arrival, howOften) => (howOften < 3 ? { status: 500, body: 'not\u0000 today' } : undefined);
    const [id] = await scene.publish(1);
    await until(() => sink.at(webhook.path).length === 3);
    const arrivals = sink.at(webhook.path);
    expect(arrivals.map(({ eventId, headers }) => [eventId, headers['ipm-attempt']])).toEqual([
      [id, '1'],
      [id, '2'],
      [id, '3'],
    ]);
    expect(new Set(arrivals.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await until(async () => (await scene.statuses()).delivered === 1);
    expect(await scene.rows('select attempt, http_status, error_tag, excerpt from delivery_attempt')).toEqual(
      [1, 2].map((attempt) => ({ attempt, http_status: 500, error_tag: 'http_500', excerpt: 'not today' })),
    );
  });

  it('die after the last attempt, and the organisation is told', async () => {
    const webhook = await scene.webhook();
    const watcher = await scene.webhook({ event_filters: [{ service: 'ipm', actions: ['delivery.*'] }] });
    sink.answer = ({ path }) => (path === webhook.path ? { status: 503 } : undefined);
    const [id] = await scene.publish(1);
    await until(async () => (await scene.statuses()).dead === 1);
    await until(() => sink.at(watcher.path).length === 1);
    expect(sink.at(webhook.path)).toHaveLength(4);
    expect(JSON.parse(sink.at(watcher.path)[0]!.body)).toMatchObject({
      action: 'delivery.dead',
      payload: { webhook_id: webhook.webhook_id, event: { event_id: id }, cause: 'attempts_exhausted', attempts: 4 },
    });
    expect(await scene.rows('select lane from delivery_dead')).toHaveLength(1);
    expect(await scene.rows('select lane from delivery_due')).toHaveLength(0);
  });
});
