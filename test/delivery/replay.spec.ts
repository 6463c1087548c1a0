import { TestApi, type ApiAnswer } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

interface Replayed {
  delivered: number;
  failed: number;
  next_token?: object;
}
interface Run {
  status: string;
  outcome?: string;
  matched: number;
  delivered: number;
  failed: number;
}

describe('a replay', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let scene: DeliveryScene;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({
      WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
      WEBHOOK_RETRY_SCHEDULE: '0',
      WEBHOOK_AUTO_PAUSE_FAILURES: '1000000',
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

  const replay = async (request: object): Promise<Replayed> => {
    const { status, body } = await scene.call('webhook/replay', request);
    expect(status).toBe(200);
    return body.data as Replayed;
  };
  const runOf = async (replay_id: string): Promise<Run> => {
    const { body } = await scene.call('webhook/replay/get', { replay_id });
    return (body.data as { replay: Run }).replay;
  };
  const replayedIds = (path: string): (string | undefined)[] =>
    sink
      .at(path)
      .filter(({ headers }) => headers['ipm-replay'] === 'true')
      .map(({ eventId }) => eventId);

  it('sends matching events once more, page after page, each once, under the id of the first delivery', async () => {
    const before = await scene.publish(10);
    const webhook = await scene.webhook();
    const ids = [...before, ...(await scene.publish(50))];
    await scene.publish(5, { service: 'pim' });
    await until(() => sink.at(webhook.path).length === 50);
    let counted = 0;
    let next_token: object | undefined;
    do {
      const page: Replayed = await replay({
        webhook_id: webhook.webhook_id,
        limit: 23,
        ...(next_token && { next_token }),
      });
      expect(page.delivered).toBeLessThanOrEqual(23);
      counted += page.delivered;
      next_token = page.next_token;
    } while (next_token);
    expect(counted).toBe(60);
    expect(replayedIds(webhook.path).sort()).toEqual([...ids].sort());
    const messageIds = new Map(sink.at(webhook.path).map(({ eventId, headers }) => [eventId, headers['webhook-id']]));
    for (const { eventId, headers } of sink.at(webhook.path))
      expect(headers['webhook-id']).toBe(messageIds.get(eventId));
    expect(await scene.rows('select lease from delivery_lease cross join organisation')).toHaveLength(0);
  });

  it('keeps to a range of occurred_at and to the service asked for', async () => {
    const webhook = await scene.webhook({ event_filters: [{ service: '*' }] });
    const at = (minutesAgo: number): string => new Date(Date.now() - minutesAgo * 60_000).toISOString();
    const [wanted] = await scene.publish(1, { occurred_at: at(20) });
    await scene.publish(1, { occurred_at: at(40) });
    await scene.publish(1, { occurred_at: at(5) });
    await scene.publish(1, { occurred_at: at(20), service: 'pim' });
    const answer = await replay({
      webhook_id: webhook.webhook_id,
      service: 'pos',
      from_utc: at(30),
      to_utc: at(10),
      limit: 100,
    });
    expect(answer).toMatchObject({ delivered: 1, failed: 0 });
    expect(replayedIds(webhook.path)).toEqual([wanted]);
  });

  it('leaves out what IPM says of the webhook itself', async () => {
    const webhook = await scene.webhook({ event_filters: [{ service: 'ipm' }] });
    const other = await scene.webhook();
    await replay({ webhook_id: webhook.webhook_id, limit: 50 });
    const about = sink
      .at(webhook.path)
      .filter(({ headers }) => headers['ipm-replay'] === 'true')
      .map(({ body }) => (JSON.parse(body) as { payload: { webhook_id?: string } }).payload.webhook_id);
    expect(about).toContain(other.webhook_id);
    expect(about).not.toContain(webhook.webhook_id);
  });

  it('counts what fails, leaves it as a dead letter, and does not hurt the health of the webhook', async () => {
    const webhook = await scene.webhook();
    await scene.publish(4);
    await until(async () => (await scene.statuses()).delivered === 4);
    sink.answer = () => ({ status: 500 });
    expect(await replay({ webhook_id: webhook.webhook_id, limit: 10 })).toMatchObject({ delivered: 0, failed: 4 });
    expect(await scene.statuses()).toEqual({ delivered: 4, dead: 4 });
    expect(await scene.get(webhook)).toMatchObject({ status: 'active', consecutive_failures: 0 });
  });

  it('is answered again, and not done again, for the same idempotency key', async () => {
    const webhook = await scene.webhook();
    await scene.publish(3);
    await until(() => sink.at(webhook.path).length === 3);
    const request = { webhook_id: webhook.webhook_id, idempotency_key: 'once', limit: 10 };
    const first = await replay(request);
    expect(await replay(request)).toEqual(first);
    expect(replayedIds(webhook.path)).toHaveLength(3);
  });

  it('is refused for a webhook that is paused, revoked or unknown', async () => {
    const webhook = await scene.webhook();
    const tagOf = async (request: object): Promise<unknown> => {
      const { status, body } = await scene.call('webhook/replay', request);
      return [status, (body.error as { error_code: string }).error_code];
    };
    await scene.setStatus(webhook, 'paused');
    expect(await tagOf({ webhook_id: webhook.webhook_id })).toEqual([409, 'webhook_paused']);
    await scene.setStatus(webhook, 'revoked');
    expect(await tagOf({ webhook_id: webhook.webhook_id })).toEqual([409, 'webhook_revoked']);
    expect(await tagOf({ webhook_id: 'nobody' })).toEqual([404, 'webhook_not_found']);
  });

  it('of a large range is a run that counts, sends and ends; of those that failed it sends just these', async () => {
    const webhook = await scene.webhook();
    sink.answer = ({ body }) => (JSON.parse(body).payload.n % 3 === 0 ? { status: 500 } : undefined);
    await scene.publish(600, (n) => ({ payload: { n } }));
    await until(
      async () => ((await scene.statuses()).delivered ?? 0) + ((await scene.statuses()).dead ?? 0) === 600,
      30_000,
    );
    sink.answer = () => undefined;
    const { body } = await scene.call('webhook/replay/start', {
      webhook_id: webhook.webhook_id,
      only: 'failed',
      rate: 1_000,
    });
    const { replay_id } = (body.data as { replay: { replay_id: string } }).replay;
    await until(async () => (await runOf(replay_id)).status === 'completed', 30_000);
    expect(await runOf(replay_id)).toMatchObject({
      outcome: 'succeeded',
      matched: 200,
      queued: 200,
      delivered: 200,
      failed: 0,
    });
    expect(new Set(replayedIds(webhook.path)).size).toBe(200);
    expect(await scene.rows(`select status, outcome from operation_run`)).toEqual([
      { status: 'completed', outcome: 'succeeded' },
    ]);
    const missing = await scene.call('webhook/replay/start', { webhook_id: webhook.webhook_id, only: 'missing' });
    const second = (missing.body.data as { replay: { replay_id: string } }).replay.replay_id;
    await until(async () => (await runOf(second)).status === 'completed', 30_000);
    expect(await runOf(second)).toMatchObject({ outcome: 'succeeded', matched: 0 });
  });

  it('ends when it is cancelled, and only one of a webhook is at work', async () => {
    const webhook = await scene.webhook();
    await scene.publish(400);
    await until(async () => (await scene.statuses()).delivered === 400, 20_000);
    const start = (): Promise<ApiAnswer> =>
      scene.call('webhook/replay/start', { webhook_id: webhook.webhook_id, rate: 20 });
    const { body } = await start();
    const { replay_id } = (body.data as { replay: { replay_id: string } }).replay;
    expect((await start()).status).toBe(409);
    await until(async () => (await runOf(replay_id)).status === 'running', 20_000);
    expect((await scene.call('webhook/replay/cancel', { replay_id })).status).toBe(200);
    await until(async () => (await runOf(replay_id)).status === 'completed', 30_000);
    expect(await runOf(replay_id)).toMatchObject({ outcome: 'blocked', matched: 400 });
    expect(replayedIds(webhook.path).length).toBeLessThan(400);
  });
});
