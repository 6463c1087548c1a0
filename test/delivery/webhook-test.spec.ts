import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { verified, WebhookSink } from '../support/webhook-sink.js';

jest.setTimeout(60_000);

describe('webhook/test', () => {
  let api: TestApi;
  let sink: WebhookSink;
  let scene: DeliveryScene;

  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({ WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' });
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });
  beforeEach(async () => {
    sink.answer = () => undefined;
    scene = await DeliveryScene.of(api, sink);
  });

  it('sends a specimen, signed as any call, and keeps nothing of it', async () => {
    const webhook = await scene.webhook({ headers: { authorization: 'Bearer very-secret', 'x-shop': 'seven' } });
    sink.answer = () => ({ body: 'thanks' });
    const { status, body } = await scene.call('webhook/test', { webhook_id: webhook.webhook_id });
    expect(status).toBe(200);
    const [arrival] = sink.at(webhook.path);
    expect(verified(arrival!, webhook.signing_secret)).toMatchObject({
      service: 'ipm',
      action: 'webhook.test',
      orgcode: scene.orgcode,
      payload: { webhook_id: webhook.webhook_id },
    });
    expect(arrival!.headers).toMatchObject({
      'ipm-test': 'true',
      authorization: 'Bearer very-secret',
      'x-shop': 'seven',
    });
    const { authorization: shownCredential, ...shown } = body.data.request.headers as Record<string, string>;
    expect(body.data).toEqual({
      delivered: true,
      http_status: 200,
      duration_ms: expect.any(Number),
      excerpt: 'thanks',
      request: { url: `${sink.url}${webhook.path}`, headers: expect.any(Object), body: arrival!.body },
    });
    expect(arrival!.headers).toMatchObject(shown);
    expect(Object.keys(shown)).not.toContain('webhook-signature');
    expect(shownCredential).not.toContain('very-secret');
    expect(await scene.statuses()).toEqual({});
    expect(await scene.rows('select * from delivery_tally')).toEqual([]);
    expect(await scene.rows('select consecutive_failures from webhook_health')).toEqual([]);
  });

  it('sends the specimen of the event type that is asked for, in the format of the webhook', async () => {
    const webhook = await scene.webhook({ payload_format: 'cloudevents' });
    const event = { service: 'ipm', action: 'webhook.paused' };
    expect((await scene.call('webhook/test', { webhook_id: webhook.webhook_id, event })).status).toBe(200);
    const [arrival] = sink.at(webhook.path);
    expect(JSON.parse(arrival!.body)).toMatchObject({ specversion: '1.0', type: 'ipm.webhook.paused' });
    const unknown = { webhook_id: webhook.webhook_id, event: { service: 'nobody', action: 'knows' } };
    const refused = await scene.call('webhook/test', unknown);
    expect([refused.status, refused.body.error?.error_code]).toEqual([404, 'specimen_not_found']);
  });

  it('tells what the endpoint said, or why nobody answered', async () => {
    const webhook = await scene.webhook({ timeout_ms: 200 });
    sink.answer = () => ({ status: 410, body: 'gone' });
    const gone = await scene.call('webhook/test', { webhook_id: webhook.webhook_id });
    expect(gone.body.data).toMatchObject({
      delivered: false,
      http_status: 410,
      error_tag: 'http_410',
      excerpt: 'gone',
    });
    expect((await scene.get(webhook)).status).toBe('active');
    sink.answer = () => ({ afterMs: 2_000 });
    const slow = await scene.call('webhook/test', { webhook_id: webhook.webhook_id });
    expect(slow.body.data).toMatchObject({ delivered: false, error_tag: 'timeout' });
    expect(slow.body.data.http_status).toBeUndefined();
  });

  it('works for a paused webhook, and not for a revoked or an unknown one', async () => {
    const webhook = await scene.webhook({ status: 'paused' });
    expect((await scene.call('webhook/test', { webhook_id: webhook.webhook_id })).body.data.delivered).toBe(true);
    await scene.setStatus(webhook, 'revoked');
    const revoked = await scene.call('webhook/test', { webhook_id: webhook.webhook_id });
    expect([revoked.status, revoked.body.error?.error_code]).toEqual([409, 'webhook_revoked']);
    const unknown = await scene.call('webhook/test', { webhook_id: 'nobodys' });
    expect([unknown.status, unknown.body.error?.error_code]).toEqual([404, 'webhook_not_found']);
    expect(sink.at(webhook.path)).toHaveLength(1);
  });
});
