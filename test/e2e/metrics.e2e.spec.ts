import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

const TOKEN = 'a token for the metrics of a spec';

describe('/metrics', () => {
  let api: TestApi;
  let sink: WebhookSink;
  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start({ METRICS_TOKEN: TOKEN, WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' });
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });

  const read = async (headers: Record<string, string>): Promise<{ status: number; text: string }> => {
    const answer = await api.app.getHttpAdapter().getInstance().inject({ url: '/metrics', headers });
    return { status: answer.statusCode, text: answer.payload };
  };
  const valueOf = (text: string, name: string): number | undefined => {
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.split(' ')[1]);
  };

  it('is shown to who has the token, and to nobody else', async () => {
    expect((await read({})).status).toBe(401);
    expect((await read({ authorization: 'Bearer another' })).status).toBe(401);
    expect((await read({ authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    const without = await TestApi.startOn(api.database);
    const answer = await without.app.getHttpAdapter().getInstance().inject({ url: '/metrics' });
    expect(answer.statusCode).toBe(404);
    await without.app.close();
  });

  it('counts deliveries by outcome, and names no organisation and no endpoint', async () => {
    const scene = await DeliveryScene.of(api, sink);
    const webhook = await scene.webhook();
    sink.answer = (_arrival, howOften) => (howOften === 1 ? { status: 503 } : undefined);
    await scene.publish(3);
    await until(() => sink.at(webhook.path).length >= 3);
    let text = '';
    await until(async () => {
      ({ text } = await read({ authorization: `Bearer ${TOKEN}` }));
      return valueOf(text, 'ipm_delivery_attempts_total{outcome="http_5xx"}') === 3;
    });
    expect(valueOf(text, 'ipm_delivery_attempt_seconds_count')).toBe(3);
    expect(valueOf(text, 'ipm_delivery_window{state="in_flight"}')).toBe(0);
    for (const gauge of ['ipm_delivery_due', 'ipm_delivery_due_oldest_seconds', 'ipm_router_organisations_behind'])
      expect(valueOf(text, gauge)).toEqual(expect.any(Number));
    expect(text).not.toContain(scene.orgcode);
    expect(text).not.toContain('127.0.0.1');
  });
});
