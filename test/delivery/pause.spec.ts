import { setTimeout as sleep } from 'node:timers/promises';
import { CatchUpRepository } from '../../src/delivery/catch-up.repository.js';
import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

describe('a webhook that is paused', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let scene: DeliveryScene;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({
      WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
      WEBHOOK_RETRY_SCHEDULE: '0,0.1,0.2,0.4,1,1,1,1',
      WEBHOOK_AUTO_PAUSE_FAILURES: '6',
      WEBHOOK_AUTO_PAUSE_AFTER_SECONDS: '0',
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
  const arrived = (path: string): (string | undefined)[] => sink.at(path).map(({ eventId }) => eventId);

  it('gets nothing, writes nothing per event, and then all of it once, live events between', async () => {
    const webhook = await scene.webhook();
    const before = await scene.publish(20);
    await until(() => sink.at(webhook.path).length === 20);
    expect(await scene.setStatus(webhook, 'paused')).toBe(200);
    const during = await scene.publish(700);
    await sleep(300);
    expect(sink.at(webhook.path)).toHaveLength(20);
    expect(await scene.rows('select position from delivery')).toHaveLength(20);
    expect(await scene.setStatus(webhook, 'active')).toBe(200);
    const after = await scene.publish(30);
    await until(() => sink.at(webhook.path).length >= 750);
    await sleep(200);
    expect(arrived(webhook.path).sort()).toEqual([...before, ...during, ...after].sort());
    await until(async () => (await scene.rows(`select position from event`)).length > 750);
    const runs = await scene.rows('select type, status, outcome from operation_run');
    await until(async () => (await scene.rows(`select 1 from operation_run`)).length === 1);
    expect(runs[0]).toMatchObject({ type: 'webhook_catch_up' });
  });

  it('misses what came meanwhile when catching up is not wanted', async () => {
    const webhook = await scene.webhook();
    await scene.setStatus(webhook, 'paused');
    await scene.publish(5);
    await scene.setStatus(webhook, 'active', { catch_up: false });
    const after = await scene.publish(3);
    await until(() => sink.at(webhook.path).length >= 3);
    await sleep(1_500);
    expect(arrived(webhook.path).sort()).toEqual([...after].sort());
  });

  it('catches up over several pauses, also those that interrupt it', async () => {
    const webhook = await scene.webhook();
    const ids: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      await scene.setStatus(webhook, 'paused');
      ids.push(...(await scene.publish(600)));
      await scene.setStatus(webhook, 'active');
      ids.push(...(await scene.publish(50)));
    }
    await until(() => sink.at(webhook.path).length >= ids.length, 30_000);
    await sleep(200);
    expect(arrived(webhook.path).sort()).toEqual([...ids].sort());
  });

  it('is told of once when it has caught up, whoever fails before telling it', async () => {
    const webhook = await scene.webhook();
    const watcher = await scene.webhook({
      event_filters: [{ service: 'ipm', actions: ['webhook.catch_up_completed'] }],
    });
    await scene.setStatus(webhook, 'paused');
    await scene.publish(700);
    const earlier = `select 1 from operation_run where status <> 'completed'`;
    await until(async () => (await api.database.asOwner(earlier)).length === 0); // or it would break one of those
    const failure = jest
      .spyOn(CatchUpRepository.prototype, 'outcome')
      .mockRejectedValueOnce(new Error('the worker of this spec broke'));
    await scene.setStatus(webhook, 'active');
    await until(() => sink.at(watcher.path).length > 0, 20_000);
    expect(failure.mock.calls.length).toBeGreaterThan(1);
    const runs = (): Promise<object[]> => scene.rows('select outcome, failed_before from operation_run');
    await until(async () => (await runs()).every((run) => !('outcome' in run && run.outcome === 'pending')));
    expect(await runs()).toEqual([
      { outcome: 'failed', failed_before: 0 },
      { outcome: 'succeeded', failed_before: 1 },
    ]);
    expect(await scene.rows('select distinct caught_up from webhook')).toEqual([{ caught_up: null }]);
    const told = sink.at(watcher.path).map(({ body }) => (JSON.parse(body) as { payload: object }).payload);
    expect(told).toEqual([expect.objectContaining({ delivered_count: 700, dead_count: 0 })]);
    failure.mockRestore();
  });

  it('is paused by itself after failures in a row, once, with an audit event; what it missed follows', async () => {
    const webhook = await scene.webhook();
    const watcher = await scene.webhook({ event_filters: [{ service: 'ipm', actions: ['webhook.*'] }] });
    sink.answer = ({ path }) => (path === webhook.path ? { status: 500 } : undefined);
    const ids = await scene.publish(20);
    await until(async () => (await scene.get(webhook)).status === ('paused' as never));
    const shown = await scene.get(webhook);
    expect(shown).toMatchObject({ status: 'paused', last_error: { error_tag: 'http_500', http_status: 500 } });
    ids.push(...(await scene.publish(10)));
    const audits = await scene.rows<{ event_type: string; actor: string }>('select event_type, actor from audit_event');
    expect(
      audits.filter(({ event_type, actor }) => event_type === 'webhook/status/set' && actor === 'ipm'),
    ).toHaveLength(1);
    sink.answer = () => undefined;
    expect(await scene.setStatus(webhook, 'active')).toBe(200);
    expect(await scene.get(webhook)).toMatchObject({ status: 'active', consecutive_failures: 0 });
    await until(async () => (await scene.statuses()).delivered! >= 30);
    const delivered = new Set(arrived(webhook.path));
    expect(ids.filter((id) => !delivered.has(id))).toEqual([]);
    await until(() => sink.at(watcher.path).some(({ body }) => body.includes('webhook.auto_paused')));
    const told = sink.at(watcher.path).map(({ body }) => (JSON.parse(body) as { action: string }).action);
    expect(told.filter((action) => action === 'webhook.auto_paused')).toHaveLength(1);
    expect(told).toContain('webhook.auto_pause_warning');
  });

  it('is paused when its endpoint answers 410', async () => {
    const webhook = await scene.webhook();
    sink.answer = () => ({ status: 410 });
    await scene.publish(3);
    await until(async () => (await scene.get(webhook)).status === ('paused' as never));
    expect((await scene.get(webhook)).status_reason).toContain('410');
    expect((await scene.statuses()).dead).toBeUndefined();
  });

  it('is over when it is revoked: what waits is cancelled', async () => {
    const webhook = await scene.webhook();
    sink.answer = () => ({ status: 500 });
    await scene.publish(4);
    await until(() => sink.at(webhook.path).length >= 4);
    expect(await scene.setStatus(webhook, 'revoked')).toBe(200);
    await until(async () => (await scene.statuses()).cancelled === 4);
    expect(await scene.rows('select lane from delivery_due')).toHaveLength(0);
  });
});
