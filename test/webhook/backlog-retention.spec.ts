import { EventPartitions } from '../../src/cdc/event-partitions.service.js';
import { EventRetention } from '../../src/cdc/event-retention.service.js';
import { WebhookBacklogRetention } from '../../src/webhook/webhook-backlog-retention.service.js';
import { TestApi } from '../support/api.js';
import { DeliveryScene, type SceneWebhook } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

const DAY_MS = 24 * 60 * 60_000;

describe('a webhook that is paused for longer than events are kept', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let scene: DeliveryScene;
  let webhook: SceneWebhook;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({ WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8', EVENT_RETENTION_DAYS: '30' });
    scene = await DeliveryScene.of(api, sink);
    webhook = await scene.webhook();
    await scene.publish(2);
    await until(() => sink.at(webhook.path).length === 2);
    await scene.setStatus(webhook, 'paused');
    await scene.publish(3);
    expect(await api.app.get(EventPartitions).beginDaily(new Date(Date.now() + 1.1 * DAY_MS))).toBe(true);
    await api.app.get(EventPartitions).noteFull();
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });

  const look = (inDays: number): Promise<void> =>
    api.app.get(WebhookBacklogRetention, { strict: false }).look(new Date(Date.now() + inDays * DAY_MS));
  const told = async (action: string): Promise<Record<string, unknown>[]> => {
    const rows = await scene.rows<{ envelope: string; action: string }>('select envelope, action from event');
    const ofIt = rows.filter((row) => row.action === action);
    return ofIt.map(({ envelope }) => (JSON.parse(envelope) as { payload: Record<string, unknown> }).payload);
  };

  it('is not told before its time', async () => {
    await look(22);
    expect(await told('retention.approaching')).toEqual([]);
  });

  it('is told a week before, once however many workers look', async () => {
    await Promise.all([look(24), look(24), look(24)]);
    expect(await told('retention.approaching')).toEqual([
      expect.objectContaining({ webhook_id: webhook.webhook_id, drop_not_before: expect.any(String) }),
    ]);
    expect((await scene.get(webhook)).backlog_lost_from).toBeUndefined();
  });

  it('is told afterwards what it will never get, and forgets it when it is set active', async () => {
    await api.app.get(EventRetention, { strict: false }).dropOld(new Date(Date.now() + 31 * DAY_MS));
    await Promise.all([look(31), look(31)]);
    const [lost, ...others] = await told('retention.dropped');
    expect(others).toEqual([]);
    const shown = await scene.get(webhook);
    expect(lost).toMatchObject({ webhook_id: webhook.webhook_id, backlog_lost_from: shown.backlog_lost_from });
    expect(Date.parse(String(shown.backlog_lost_from))).toBeLessThanOrEqual(Date.now());
    await scene.setStatus(webhook, 'active');
    expect((await scene.get(webhook)).backlog_lost_from).toBeUndefined();
    expect(sink.at(webhook.path)).toHaveLength(2);
  });
});
