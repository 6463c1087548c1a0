import { setTimeout as sleep } from 'node:timers/promises';
import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

const SETTINGS = { WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' };

describe('a webhook that is set active without catching up', () => {
  it('gets what is published from then on, however late the router comes to what was before', async () => {
    const sink = await WebhookSink.start();
    const api = await TestApi.start({ ...SETTINGS, IPM_ROLE: 'api' });
    const scene = await DeliveryScene.of(api, sink);
    const webhook = await scene.webhook();
    await scene.setStatus(webhook, 'paused');
    await scene.publish(5);
    await scene.setStatus(webhook, 'active'); // these wait to be caught up
    await scene.setStatus(webhook, 'paused');
    await scene.publish(5);
    expect(await scene.setStatus(webhook, 'active', { catch_up: false })).toBe(200);
    const after = await scene.publish(3);
    const worker = await TestApi.startOn(api.database, { ...SETTINGS, IPM_ROLE: 'worker' });
    try {
      const ids = (): (string | undefined)[] => sink.at(webhook.path).map(({ eventId }) => eventId);
      await until(() => ids().length >= 3);
      await sleep(1_500);
      expect(ids().sort()).toEqual([...after].sort());
    } finally {
      await worker.close();
      await api.close();
      await sink.stop();
    }
  });
});
