import { DeliveryRetentionSweep } from '../../src/delivery/delivery-retention.sweep.js';
import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

describe('deliveries whose events retention has dropped', () => {
  let api: TestApi;
  let sink: WebhookSink;
  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({ WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8', WEBHOOK_RETRY_SCHEDULE: '0,0.3' });
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });

  it('are forgotten, and one that was still open is dead with that reason', async () => {
    const scene = await DeliveryScene.of(api, sink);
    const webhook = await scene.webhook();
    await scene.publish(5);
    await until(async () => (await scene.statuses()).delivered === 5);
    sink.answer = () => ({ status: 500 });
    await scene.publish(1);
    await until(() => sink.at(webhook.path).length === 6);
    await api.database.asOwner(`delete from event where orgcode = $1`, [scene.orgcode]);
    await until(async () => (await scene.statuses()).dead === 1);
    expect(await scene.rows(`select reason from delivery`)).toContainEqual({ reason: 'event_expired' });
    expect(sink.at(webhook.path)).toHaveLength(6);
    await api.database.asOwner(`update org_head set dropped_to = position where orgcode = $1`, [scene.orgcode]);
    await api.app.get(DeliveryRetentionSweep).prune();
    for (const table of ['delivery', 'delivery_attempt', 'delivery_dead'])
      expect(await scene.rows(`select lane from ${table}`)).toEqual([]);
  });
});
