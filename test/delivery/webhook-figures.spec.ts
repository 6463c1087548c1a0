import { AGE_BOUNDS_MS, AGE_CLASSES } from '../../src/delivery/age-classes.js';
import { TestApi } from '../support/api.js';
import { DeliveryScene, type SceneWebhook } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

describe('what webhook/get tells of deliveries', () => {
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

  const figures = async (webhook: SceneWebhook): Promise<{ deliveries: never; backlog: never }> => {
    const { deliveries, backlog } = await scene.get(webhook);
    return { deliveries, backlog } as never;
  };
  const tally = (
    webhook: SceneWebhook,
    agoMinutes: number,
    counts: number[],
    ages: Record<number, number>,
  ): Promise<unknown> =>
    api.database.asOwner(
      `insert into delivery_tally select orgcode, lane, now() - make_interval(mins => $3), $4, $5, $6, $7
       from webhook where orgcode = $1 and webhook_id = $2`,
      [
        scene.orgcode,
        webhook.webhook_id,
        agoMinutes,
        ...counts,
        Array.from({ length: AGE_CLASSES }, (_, i) => ages[i] ?? 0),
      ],
    );

  it('is nothing where nothing was sent, and stands in no list', async () => {
    const webhook = await scene.webhook();
    const none = { delivered: 0, failed: 0, dead: 0 };
    expect(await figures(webhook)).toEqual({ deliveries: { hour: none, day: none }, backlog: { due: 0, gaps: [] } });
    const { body } = await scene.call('webhook/list', {});
    expect((body.data.items as [object])[0]).not.toHaveProperty('deliveries');
  });

  it('is the sum of the last hour and of the last day, with the ratio of successes and the age of 95 in 100', async () => {
    const webhook = await scene.webhook();
    await tally(webhook, 30, [3, 1, 1], { 2: 3 });
    await tally(webhook, 90, [93, 4, 0], { 4: 92, 9: 1 });
    await tally(webhook, 25 * 60, [1_000, 0, 0], { 0: 1_000 });
    expect((await figures(webhook)).deliveries).toEqual({
      hour: { delivered: 3, failed: 1, dead: 1, success_ratio: 0.75, p95_age_ms: AGE_BOUNDS_MS[2] },
      day: { delivered: 96, failed: 5, dead: 1, success_ratio: 0.9505, p95_age_ms: AGE_BOUNDS_MS[4] },
    });
  });

  it('counts what workers do', async () => {
    const webhook = await scene.webhook();
    const [bad] = await scene.publish(4);
    sink.answer = ({ eventId }) => (eventId === bad ? { status: 500 } : undefined);
    await until(async () => {
      const { hour } = (await figures(webhook)).deliveries as { hour: { delivered: number; dead: number } };
      return hour.delivered + hour.dead === 4;
    });
  });

  it('has what waits, the oldest time of it, and what was missed', async () => {
    const webhook = await scene.webhook({ retry_schedule: [0, 3_600] });
    sink.answer = () => ({ status: 500 });
    await scene.publish(3);
    await until(async () => (await scene.statuses()).scheduled === 3);
    const { backlog } = (await figures(webhook)) as { backlog: { due: number; oldest_due_at: string; gaps: object[] } };
    expect([backlog.due, backlog.gaps]).toEqual([3, []]);
    expect(Date.parse(backlog.oldest_due_at)).toBeGreaterThan(Date.now());
    await api.database.asOwner(
      `update webhook set gaps = '[{"after":"3","to":"9"}]', status = 'paused' where orgcode = $1`,
      [scene.orgcode],
    );
    expect((await figures(webhook)).backlog).toMatchObject({ gaps: [{ after_position: '3', to_position: '9' }] });
  });
});
