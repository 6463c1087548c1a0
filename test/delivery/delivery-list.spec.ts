import { deliveryId } from '../../src/delivery/delivery-id.js';
import { TestApi } from '../support/api.js';
import { DeliveryScene, type SceneWebhook } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

interface Listed {
  delivery_id: string;
  event: { event_id: string; position: string };
  status: string;
  [field: string]: unknown;
}

describe('webhook/delivery/list and get', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let scene: DeliveryScene;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({ WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8', WEBHOOK_RETRY_SCHEDULE: '0,0.05' });
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });
  beforeEach(async () => {
    sink.answer = () => undefined;
    scene = await DeliveryScene.of(api, sink);
  });

  const listed = async ({ webhook_id }: SceneWebhook, request: object = {}): Promise<Listed[]> => {
    const items: Listed[] = [];
    for (let next_token: object | undefined, pages = 0; pages === 0 || next_token; pages += 1) {
      const { status, body } = await scene.call('webhook/delivery/list', {
        webhook_id,
        limit: 7,
        next_token,
        ...request,
      });
      expect([status, body.error]).toEqual([200, undefined]);
      expect(body.data.has_more).toBe(body.data.next_token !== undefined);
      items.push(...(body.data.items as Listed[]));
      next_token = body.data.next_token as object | undefined;
    }
    return items;
  };
  const idsOf = (items: Listed[]): string[] => items.map(({ event }) => event.event_id);
  /** Deliveries as workers would leave them, of events that retention has taken. */
  const lay = (webhook: SceneWebhook, status: string, from: number, to: number): Promise<unknown> =>
    api.database.asOwner(
      `insert into delivery (orgcode, lane, position, status, created_at)
       select orgcode, lane, n, $3::delivery_status, '2026-01-01'::timestamptz + n * interval '1 second'
       from webhook, generate_series($4::int, $5::int) n where orgcode = $1 and webhook_id = $2`,
      [scene.orgcode, webhook.webhook_id, status, from, to],
    );

  it('show what became of each event, newest first, page by page', async () => {
    const webhook = await scene.webhook();
    await scene.webhook();
    const ids = await scene.publish(30);
    await until(async () => (await scene.statuses()).delivered === 60);
    const items = await listed(webhook);
    expect(idsOf(items)).toEqual([...ids].reverse());
    expect(items[0]).toEqual({
      delivery_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      webhook_id: webhook.webhook_id,
      event: {
        event_id: ids[29],
        service: 'pos',
        action: 'basket.closed',
        occurred_at: expect.stringMatching(/^20.*\.\d{6}Z$/),
        position: expect.stringMatching(/^\d+$/),
      },
      is_replay: false,
      status: 'delivered',
      attempts: 1,
      http_status: 200,
      duration_ms: expect.any(Number),
      created_at: expect.any(String),
      last_attempt_at: expect.any(String),
    });
  });

  it('tell the dead from the rest, with every attempt, oldest first', async () => {
    const webhook = await scene.webhook();
    const [bad, good] = await scene.publish(2, (n) => ({ action: n === 0 ? 'bad' : 'good' }));
    sink.answer = ({ eventId }, howOften) =>
      eventId === bad || howOften < 2 ? { status: 503, body: 'not <today>' } : undefined;
    await until(async () => {
      const { dead, delivered } = await scene.statuses();
      return dead === 1 && delivered === 1;
    });
    const dead = await listed(webhook, { status: 'dead' });
    expect(idsOf(dead)).toEqual([bad]);
    expect(dead[0]).toMatchObject({ status: 'dead', reason: 'attempts_exhausted', error_tag: 'http_503', attempts: 2 });
    expect(idsOf(await listed(webhook, { status: 'delivered' }))).toEqual([good]);
    const { body } = await scene.call('webhook/delivery/get', { delivery_id: dead[0]!.delivery_id });
    expect(body.data).toEqual({
      delivery: dead[0],
      attempts: [1, 2].map((attempt) => ({
        attempt,
        at: expect.any(String),
        duration_ms: expect.any(Number),
        http_status: 503,
        error_tag: 'http_503',
        excerpt: 'not <today>',
      })),
    });
    const [delivered] = await listed(webhook, { event_id: good });
    const { attempts } = (await scene.call('webhook/delivery/get', { delivery_id: delivered!.delivery_id })).body.data;
    expect(attempts).toEqual([
      expect.objectContaining({ attempt: 1, http_status: 503, excerpt: 'not <today>' }),
      { attempt: 2, at: expect.any(String), duration_ms: expect.any(Number), http_status: 200 },
    ]);
  });

  it('find those of one event, its replays first', async () => {
    const webhook = await scene.webhook();
    const [, id] = await scene.publish(3);
    await until(async () => (await scene.statuses()).delivered === 3);
    await scene.call('webhook/replay', { webhook_id: webhook.webhook_id });
    const items = await listed(webhook, { event_id: id });
    expect(items.map(({ event, is_replay }) => [event.event_id, is_replay])).toEqual([
      [id, true],
      [id, false],
    ]);
    const unknown = await scene.call('webhook/delivery/list', { webhook_id: webhook.webhook_id, event_id: 'nobodys' });
    expect([unknown.status, unknown.body.error?.error_code]).toEqual([404, 'event_not_found']);
  });

  it('show what waits as scheduled with its time, and as held while the webhook is paused', async () => {
    const webhook = await scene.webhook({ retry_schedule: [0, 3_600] });
    sink.answer = () => ({ status: 500 });
    const [id] = await scene.publish(1);
    await until(async () => (await scene.statuses()).scheduled === 1 && sink.at(webhook.path).length === 1);
    const [waiting] = await listed(webhook, { status: 'scheduled' });
    expect(waiting).toMatchObject({ status: 'scheduled', event: { event_id: id }, attempts: 1 });
    expect(Date.parse(waiting!.next_attempt_at as string)).toBeGreaterThan(Date.now() + 40 * 60_000);
    expect(await listed(webhook, { status: 'held' })).toEqual([]);
    await scene.setStatus(webhook, 'paused');
    expect(await listed(webhook, { status: 'scheduled' })).toEqual([]);
    const [held] = await listed(webhook, { status: 'held' });
    expect(held).toMatchObject({ status: 'held', event: { event_id: id } });
    expect(held!.next_attempt_at).toBeUndefined();
    expect(idsOf(await listed(webhook))).toEqual([id]);
  });

  it('show those that wait behind another of their key among the scheduled', async () => {
    const webhook = await scene.webhook({ ordering: 'key', retry_schedule: [0, 3_600] });
    sink.answer = () => ({ status: 500 });
    const ids = await scene.publish(3, { ordering_key: 'one' });
    await until(async () => (await scene.statuses()).scheduled === 3 && sink.at(webhook.path).length === 1);
    expect(idsOf(await listed(webhook, { status: 'scheduled' }))).toEqual([...ids].reverse());
  });

  it('look at 20,000 deliveries a page, and answer short with a token where nothing passes', async () => {
    const webhook = await scene.webhook();
    await lay(webhook, 'cancelled', 1, 20_500);
    await lay(webhook, 'delivered', 20_501, 40_499);
    const pages: number[] = [];
    for (let next_token: object | undefined, done = false; !done;) {
      const request = { webhook_id: webhook.webhook_id, status: 'cancelled', limit: 2, next_token };
      const { body } = await scene.call('webhook/delivery/list', request);
      pages.push(body.data.items.length);
      next_token = body.data.next_token as object | undefined;
      done = body.data.items.length === 2 || !body.data.has_more;
    }
    expect(pages).toEqual([1, 2]); // 19,999 delivered and one that is not; then two at once
    const { body } = await scene.call('webhook/delivery/list', { webhook_id: webhook.webhook_id, status: 'sending' });
    expect(body.data).toEqual({ items: [], has_more: true, next_token: expect.any(Object) });
    expect(await listed(webhook, { status: 'sending' })).toEqual([]);
  });

  it('take from_utc and to_utc on created_at, the end not included, and show what retention has taken by its position', async () => {
    const webhook = await scene.webhook();
    await lay(webhook, 'delivered', 1, 30);
    const range = { from_utc: '2026-01-01T00:00:10Z', to_utc: '2026-01-01T00:00:20Z' };
    const items = await listed(webhook, range);
    expect(items.map(({ event }) => event)).toEqual(
      Array.from({ length: 10 }, (_, i) => ({ position: String(19 - i) })),
    );
  });

  it('keep to 20,000 waiting ones, and walk all deliveries where there are more', async () => {
    const webhook = await scene.webhook({ status: 'paused' });
    await lay(webhook, 'scheduled', 1, 20_010);
    await api.database.asOwner(
      `insert into delivery_due (orgcode, lane, due_at, position, replay_no)
       select orgcode, lane, '2100-01-01', position, replay_no from delivery where orgcode = $1`,
      [scene.orgcode],
    );
    const { body } = await scene.call('webhook/delivery/list', {
      webhook_id: webhook.webhook_id,
      status: 'held',
      limit: 3,
    });
    const positions = (body.data.items as Listed[]).map(({ event }) => event.position);
    expect(positions).toEqual(['20010', '20009', '20008']);
  });

  it('answer one and the same 404 for an unknown, a foreign and a malformed id', async () => {
    const webhook = await scene.webhook();
    await scene.publish(1);
    await until(async () => (await scene.statuses()).delivered === 1);
    const [{ delivery_id }] = (await listed(webhook)) as [Listed];
    const stranger = await DeliveryScene.of(api, sink);
    const ask = async (id: string): Promise<unknown> => {
      const { status, body } = await stranger.call('webhook/delivery/get', { delivery_id: id });
      const { error_code, details, minor } = body.error!;
      return { status, error_code, details, minor };
    };
    const foreign = await ask(delivery_id);
    expect(foreign).toMatchObject({ status: 404, error_code: 'delivery_not_found' });
    const unknown = deliveryId({ lane: 9_999n, position: 1n, replayNo: 0 });
    for (const id of [unknown, 'no id', delivery_id.toUpperCase(), '0'.repeat(128)])
      expect(await ask(id)).toEqual(foreign);
    const others = await stranger.call('webhook/delivery/list', { webhook_id: webhook.webhook_id });
    expect([others.status, others.body.error?.error_code]).toEqual([404, 'webhook_not_found']);
  });

  it('are told by cdc/get, too: to which webhooks an event went', async () => {
    const webhooks = [await scene.webhook(), await scene.webhook()];
    await scene.webhook({ event_filters: [{ service: 'pim' }] });
    const [event_id] = await scene.publish(1);
    await until(async () => (await scene.statuses()).delivered === 2);
    const { body } = await scene.call('cdc/get', { event_id });
    const deliveries = body.data.deliveries as Listed[];
    expect(deliveries.map(({ webhook_id }) => webhook_id).sort()).toEqual(
      webhooks.map(({ webhook_id }) => webhook_id).sort(),
    );
    for (const { delivery_id, status, attempts } of deliveries) {
      expect([status, attempts]).toEqual(['delivered', 1]);
      expect((await scene.call('webhook/delivery/get', { delivery_id })).status).toBe(200);
    }
  });
});
