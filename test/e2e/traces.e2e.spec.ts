import { TestApi, writeGrounds } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { anEvent } from '../support/events.js';
import { ProductProcess } from '../support/product-process.js';
import { TraceCollector } from '../support/trace-collector.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

const [TRACE, CALLERS_SPAN] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
const SERVER = 2;
const CLIENT = 3;

jest.setTimeout(60_000);

/** An API and a worker as processes of their own: a trace goes through both. */
describe('traces', () => {
  let collector: TraceCollector;
  let sink: WebhookSink;
  let setUp: TestApi;
  let scene: DeliveryScene;
  let api: ProductProcess;
  let worker: ProductProcess;
  beforeAll(async () => {
    collector = await TraceCollector.start();
    sink = await WebhookSink.start();
    setUp = await TestApi.start({ IPM_ROLE: 'api', WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' });
    const settings = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=blue',
      WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
      WEBHOOK_RETRY_SCHEDULE: '0,0.1,0.1',
    };
    [api, worker] = await Promise.all([
      ProductProcess.start(setUp.database.url, { ...settings, IPM_ROLE: 'api' }),
      ProductProcess.start(setUp.database.url, { ...settings, IPM_ROLE: 'worker' }),
    ]);
    scene = await DeliveryScene.of(setUp, sink);
  });
  afterAll(async () => {
    await Promise.all([api.stop(), worker.stop()]);
    await setUp.close();
    await sink.stop();
    await collector.stop();
  });

  const publish = async (headers: Record<string, string> = {}): Promise<void> => {
    const answer = await fetch(`${api.url}/ipm/event/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': scene.key, 'x-orgcode': scene.orgcode, ...headers },
      body: JSON.stringify({ ...writeGrounds(scene.orgcode, 'nobody else need know'), events: [anEvent()] }),
    });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  };

  it('are one, from the caller over publish to every attempt of a delivery', async () => {
    const webhook = await scene.webhook({ endpoint_url: `${sink.url}/hook-with-a-secret-in-its-path` });
    sink.answer = (_arrival, howOften) => (howOften === 1 ? { status: 503 } : undefined);
    await publish({ traceparent: `00-${TRACE}-${CALLERS_SPAN}-01` });
    await until(
      () => collector.named('webhook attempt').length === 2 && collector.named('POST event/publish').length === 1,
      15_000,
    );
    const [published] = collector.named('POST event/publish');
    expect(published).toMatchObject({
      kind: SERVER,
      traceId: TRACE,
      parentSpanId: CALLERS_SPAN,
      attributes: { 'http.response.status_code': 200, 'ipm.orgcode': scene.orgcode },
    });
    const attempts = collector.named('webhook attempt');
    const common = { kind: CLIENT, traceId: TRACE, parentSpanId: published?.spanId };
    const of = (attempt: number, status: number): object => ({
      'ipm.attempt': attempt,
      'ipm.webhook_id': webhook.webhook_id,
      'http.response.status_code': status,
    });
    expect(attempts).toMatchObject([
      { ...common, attributes: { ...of(1, 503), 'error.type': 'http_503' }, status: 'http_503' },
      { ...common, attributes: of(2, 200), status: undefined },
    ]);
    expect(sink.arrivals.map(({ headers }) => headers.traceparent)).toEqual(
      attempts.map(({ spanId }) => `00-${TRACE}-${spanId}-01`),
    );
    expect(collector.headers[0]).toMatchObject({ 'x-team': 'blue' });
  });

  it('tell no secrets: no keys, no paths of endpoints, no bodies', () => {
    expect(collector.text).toContain(scene.orgcode);
    for (const secret of [scene.key, 'hook-with-a-secret', 'nobody else']) expect(collector.text).not.toContain(secret);
  });

  it('are not kept where the caller does not keep theirs', async () => {
    sink.answer = () => undefined;
    const before = sink.arrivals.length;
    await publish({ traceparent: `00-1${TRACE.slice(1)}-${CALLERS_SPAN}-00` });
    await until(() => sink.arrivals.length > before);
    const { body } = await scene.call('cdc/list', { service: 'pos', limit: 256 });
    const { items } = body.data as { items: { traceparent?: string }[] };
    expect(items.map(({ traceparent }) => traceparent?.slice(3, 35))).toEqual([TRACE, undefined]);
  });

  it('cost nothing but themselves where the collector is away', async () => {
    await collector.stop();
    const before = sink.arrivals.length;
    await publish();
    await until(() => sink.arrivals.length > before);
    expect(await Promise.all([api.stop(), worker.stop()])).toEqual([0, 0]);
  });

  it('are off unless somebody takes them: nothing of them is stored or sent', async () => {
    const quiet = await TestApi.start({ WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' });
    const other = await DeliveryScene.of(quiet, sink);
    const webhook = await other.webhook();
    await other.publish(1);
    await until(() => sink.at(webhook.path).length > 0);
    const [arrival] = sink.at(webhook.path);
    expect(arrival?.headers).not.toHaveProperty('traceparent');
    expect(arrival?.body).not.toContain('traceparent');
    await quiet.close();
  });
});
