import { TestApi } from '../support/api.js';
import { DeliveryScene, type SceneWebhook } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

describe('webhook/delivery/retry', () => {
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
    sink.answer = () => ({ status: 500 });
    scene = await DeliveryScene.of(api, sink);
  });

  /** A dead one. */
  const aDeadOne = async (webhook: SceneWebhook, event: object = {}): Promise<string> => {
    await scene.publish(1, event);
    await until(async () => (await scene.statuses()).dead === 1);
    const { body } = await scene.call('webhook/delivery/list', { webhook_id: webhook.webhook_id, status: 'dead' });
    return (body.data.items as [{ delivery_id: string }])[0].delivery_id;
  };
  const retry = (delivery_id: string, more: object = {}): ReturnType<DeliveryScene['call']> =>
    scene.call('webhook/delivery/retry', { delivery_id, ...more });
  const refused = async (delivery_id: string): Promise<unknown[]> => {
    const { status, body } = await retry(delivery_id);
    return [status, body.error?.error_code];
  };
  const deadRows = (): Promise<object[]> => scene.rows('select position from delivery_dead');

  it('sends a dead delivery once more, at once', async () => {
    const webhook = await scene.webhook();
    const id = await aDeadOne(webhook);
    sink.answer = () => undefined;
    const { status, body } = await retry(id);
    expect([status, body.data.delivery]).toEqual([
      200,
      expect.objectContaining({ delivery_id: id, status: 'scheduled', attempts: 2, reason: 'retried' }),
    ]);
    expect(Date.parse(body.data.delivery.next_attempt_at as string)).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(await deadRows()).toEqual([]);
    await until(async () => (await scene.statuses()).delivered === 1);
    expect(sink.at(webhook.path).map(({ headers }) => headers['ipm-attempt'])).toEqual(['1', '2', '3']);
    const { attempts } = (await scene.call('webhook/delivery/get', { delivery_id: id })).body.data;
    expect((attempts as { attempt: number }[]).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('lets it die again when that fails, however many attempts the schedule has left', async () => {
    const webhook = await scene.webhook({ retry_schedule: [0, 0] });
    const id = await aDeadOne(webhook);
    await api.database.asOwner(`update webhook set retry_schedule = '{0,0,0,0,0,0}' where orgcode = $1`, [
      scene.orgcode,
    ]);
    await api.database.asOwner('update webhook_roll set version = version + 1 where orgcode = $1', [scene.orgcode]);
    await retry(id);
    await until(async () => (await scene.statuses()).dead === 1 && sink.at(webhook.path).length === 3);
    expect(await deadRows()).toHaveLength(1);
    const { delivery } = (await scene.call('webhook/delivery/get', { delivery_id: id })).body.data;
    expect(delivery).toMatchObject({ status: 'dead', attempts: 3, reason: 'attempts_exhausted' });
  });

  it('sends also what is older than anybody waits', async () => {
    const webhook = await scene.webhook();
    const id = await aDeadOne(webhook);
    await api.database.asOwner(`update webhook set active_since = now() - interval '9 days' where orgcode = $1`, [
      scene.orgcode,
    ]);
    await api.database.asOwner(`update delivery set created_at = now() - interval '9 days' where orgcode = $1`, [
      scene.orgcode,
    ]);
    await api.database.asOwner('update webhook_roll set version = version + 1 where orgcode = $1', [scene.orgcode]);
    sink.answer = () => undefined;
    await retry(id);
    await until(async () => (await scene.statuses()).delivered === 1);
  });

  it('does it once for one idempotency key, and refuses what is not dead', async () => {
    const webhook = await scene.webhook();
    const id = await aDeadOne(webhook);
    sink.answer = () => undefined;
    const first = await retry(id, { idempotency_key: 'once' });
    await until(async () => (await scene.statuses()).delivered === 1);
    const again = await retry(id, { idempotency_key: 'once' });
    expect([first.status, again.status, again.headers['idempotent-replayed']]).toEqual([200, 200, 'true']);
    expect(again.body.data).toEqual(first.body.data);
    const { status, body } = await retry(id);
    expect([status, body.error?.error_code, body.error?.details]).toEqual([
      409,
      'delivery_not_dead',
      { status: 'delivered' },
    ]);
    expect(sink.at(webhook.path)).toHaveLength(3);
  });

  it('lets exactly one of two callers do it', async () => {
    const webhook = await scene.webhook();
    const id = await aDeadOne(webhook);
    sink.answer = () => ({ afterMs: 200 });
    const answers = await Promise.all([retry(id), retry(id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    await until(async () => (await scene.statuses()).delivered === 1);
    expect(sink.at(webhook.path)).toHaveLength(3);
  });

  it('sends one of an ordered webhook by itself: it waits for none of its key, and none waits for it', async () => {
    const webhook = await scene.webhook({ ordering: 'key' });
    const id = await aDeadOne(webhook, { ordering_key: 'one' });
    sink.answer = ({ headers }) => (headers['ipm-attempt'] === '1' ? { afterMs: 1_500 } : undefined);
    const [later] = await scene.publish(1, { ordering_key: 'one' });
    await until(() => sink.at(webhook.path).some(({ eventId }) => eventId === later));
    await retry(id);
    await until(async () => (await scene.statuses()).delivered === 2);
    expect(await scene.rows('select * from delivery_key')).toEqual([]);
  });

  it('refuses while the webhook is paused, once it is revoked, and when retention has taken the event', async () => {
    const webhook = await scene.webhook();
    const id = await aDeadOne(webhook);
    await scene.setStatus(webhook, 'paused');
    expect(await refused(id)).toEqual([409, 'webhook_paused']);
    await scene.setStatus(webhook, 'active');
    const [head] = await scene.rows<{ dropped_to: string }>('select dropped_to from org_head');
    await api.database.asOwner('update org_head set dropped_to = position where orgcode = $1', [scene.orgcode]);
    expect(await refused(id)).toEqual([409, 'event_expired']);
    await api.database.asOwner('update org_head set dropped_to = $2 where orgcode = $1', [
      scene.orgcode,
      head!.dropped_to,
    ]);
    await scene.setStatus(webhook, 'revoked');
    expect(await refused(id)).toEqual([409, 'webhook_revoked']);
    expect(await deadRows()).toHaveLength(1);
  });
});
