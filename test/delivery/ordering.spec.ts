import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

describe('a webhook with a pace of its own', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let scene: DeliveryScene;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({
      WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
      WEBHOOK_RETRY_SCHEDULE: '0,0.05,0.1',
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
  /** The numbers that events of a key carry, as they arrived; repeated attempts once. */
  const orderOf = (path: string, key: string): number[] => {
    const seen = sink.at(path).map(({ body }) => JSON.parse(body) as { ordering_key: string; payload: { n: number } });
    return [...new Set(seen.filter(({ ordering_key }) => ordering_key === key).map(({ payload }) => payload.n))];
  };
  const keyed = (n: number): object => ({ ordering_key: `key-${n % 5}`, payload: { n } });

  it('gets the events of a key one after the other, whatever fails in between', async () => {
    const webhook = await scene.webhook({ ordering: 'key' });
    const inFlight = new Map<string, number>();
    let overlaps = 0;
    sink.answer = ({ body }, howOften) => {
      const { ordering_key, payload } = JSON.parse(body) as { ordering_key: string; payload: { n: number } };
      if (inFlight.get(ordering_key)) overlaps += 1;
      inFlight.set(ordering_key, 1);
      setTimeout(() => inFlight.set(ordering_key, 0), 4);
      return { afterMs: 5, status: payload.n % 7 === 0 && howOften === 1 ? 500 : 200 };
    };
    await scene.publish(100, keyed);
    await until(async () => (await scene.statuses()).delivered === 100, 30_000);
    for (let key = 0; key < 5; key += 1)
      expect(orderOf(webhook.path, `key-${key}`)).toEqual(Array.from({ length: 20 }, (_, i) => i * 5 + key));
    expect(overlaps).toBe(0);
    for (const table of ['delivery_key', 'delivery_waiting', 'delivery_due'])
      expect(await scene.rows(`select lane from ${table}`)).toHaveLength(0);
  });

  it('goes on behind one that is dead', async () => {
    const webhook = await scene.webhook({ ordering: 'key' });
    sink.answer = ({ body }) => (body.includes('"n":0') ? { status: 500 } : undefined);
    await scene.publish(3, (n) => ({ ordering_key: 'one', payload: { n } }));
    await until(async () => (await scene.statuses()).delivered === 2, 20_000);
    expect(await scene.statuses()).toEqual({ delivered: 2, dead: 1 });
    expect(orderOf(webhook.path, 'one')).toEqual([0, 1, 2]);
  });

  it('leaves nothing behind when it is revoked, however much waits', async () => {
    const webhook = await scene.webhook({ ordering: 'key', retry_schedule: [0, 2] });
    sink.answer = () => ({ status: 500 });
    for (let batch = 0; batch < 3; batch += 1)
      await scene.publish(500, (n) => ({ ordering_key: 'one', payload: { n } }));
    await until(async () => (await scene.rows('select lane from delivery_waiting')).length === 1_499, 20_000);
    await scene.setStatus(webhook, 'revoked');
    await until(async () => (await scene.statuses()).cancelled === 1_500, 20_000);
    for (const table of ['delivery_key', 'delivery_waiting', 'delivery_due'])
      expect(await scene.rows(`select lane from ${table}`)).toHaveLength(0);
  });

  it('finishes its backlog before live events', async () => {
    const webhook = await scene.webhook({ ordering: 'key' });
    await scene.setStatus(webhook, 'paused');
    await scene.publish(600, (n) => ({ ordering_key: 'one', payload: { n } }));
    await scene.setStatus(webhook, 'active');
    await scene.publish(20, (n) => ({ ordering_key: 'one', payload: { n: 600 + n } }));
    await until(async () => (await scene.statuses()).delivered === 620, 40_000);
    expect(orderOf(webhook.path, 'one')).toEqual(Array.from({ length: 620 }, (_, n) => n));
  });

  it('is called no more often than it wants', async () => {
    const webhook = await scene.webhook({ rate_limit: 20 });
    await scene.publish(60);
    await until(() => sink.at(webhook.path).length === 60, 30_000);
    const times = sink.at(webhook.path).map(({ atMs }) => atMs);
    for (const from of times)
      expect(times.filter((atMs) => atMs >= from && atMs < from + 1_000).length).toBeLessThanOrEqual(41);
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(1_800);
  });
});
