import { TestApi } from './api.js';
import { DeliveryScene, type SceneWebhook } from './delivery-scene.js';
import { until } from './until.js';
import { WebhookSink } from './webhook-sink.js';

export const OPERATOR_KEY = 'operator-key-of-the-specs-0123456789';
const ROOM = '/api/v1/operator/writeback';
export const OPERATED = { WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8', API_KEY: OPERATOR_KEY };
const ENDS_SOON = { retry_schedule: [0, 0] };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each route of document 002 has its own shape, which its spec checks
type Data = any;

export interface OperatorAnswer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  body: {
    ok: boolean;
    data?: Data;
    nextCursor?: string;
    error?: { code: string; message: string };
    correlationId?: string;
  };
}

/** An application and a sink for the specs of a file, and a new organisation for each of them. */
export function eachAtADesk(sit: (desk: OperatorDesk) => void): void {
  let api: TestApi;
  let sink: WebhookSink;
  beforeAll(async () => {
    sink = await WebhookSink.start();
    api = await TestApi.start(OPERATED);
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });
  beforeEach(async () => sit(await OperatorDesk.of(api, sink)));
}

/** Where operators sit: the room of dead letters, and an organisation whose deliveries fail when a spec says so. */
export class OperatorDesk {
  private constructor(
    readonly api: TestApi,
    readonly sink: WebhookSink,
    readonly scene: DeliveryScene,
  ) {}

  static async of(api: TestApi, sink: WebhookSink): Promise<OperatorDesk> {
    return new OperatorDesk(api, sink, await DeliveryScene.of(api, sink));
  }

  get(path: string, headers: Record<string, string> = {}): Promise<OperatorAnswer> {
    return this.ask('GET', path, undefined, headers);
  }

  post(path: string, body?: object, headers: Record<string, string> = {}): Promise<OperatorAnswer> {
    return this.ask('POST', path, body, headers);
  }

  async ask(
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    headers: Record<string, string>,
  ): Promise<OperatorAnswer> {
    const answer = await this.api.app.inject({
      method,
      url: `${ROOM}${path}`,
      headers: { 'x-api-key': OPERATOR_KEY, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { payload: JSON.stringify(body) }),
    });
    const { statusCode: status, body: text } = answer;
    return { status, headers: answer.headers, text, body: JSON.parse(text) as OperatorAnswer['body'] };
  }

  /** The status and what the room calls the refusal. */
  async refusal(answer: Promise<OperatorAnswer>): Promise<[number, string | undefined]> {
    const { status, body } = await answer;
    return [status, body.error?.code];
  }

  /** A webhook of which nothing is delivered. */
  failingWebhook(settings: object = {}): Promise<SceneWebhook> {
    this.sink.answer = () => ({ status: 500 });
    return this.scene.webhook({ ...ENDS_SOON, ...settings });
  }

  /** Events that die at a webhook, by their own failures; the ids of the deliveries, newest first. The breaker lets a few through. */
  async deadLetters(webhook: SceneWebhook, count = 1, event: object = {}): Promise<string[]> {
    const before = (await this.scene.statuses()).dead ?? 0;
    await this.scene.publish(count, event);
    await until(async () => ((await this.scene.statuses()).dead ?? 0) >= before + count);
    return this.deadOf(webhook, count);
  }

  /** One, of a webhook of its own. */
  async aDeadLetter(settings: object = {}): Promise<string> {
    return (await this.deadLetters(await this.failingWebhook(settings)))[0]!;
  }

  /** As many as one likes: delivered first, and made dead where they lie. */
  async manyDeadLetters(count: number): Promise<string[]> {
    this.sink.answer = () => undefined;
    const webhook = await this.scene.webhook(ENDS_SOON);
    const before = (await this.scene.statuses()).delivered ?? 0;
    await this.scene.publish(count);
    await until(async () => ((await this.scene.statuses()).delivered ?? 0) >= before + count);
    await this.api.database.asOwner(
      `with died as (
         update delivery set status = 'dead', error_tag = 'http_500', attempts = 2, reason = 'attempts_exhausted'
         where orgcode = $1 and status = 'delivered' and lane = (select lane from webhook where orgcode = $1 and webhook_id = $2) returning *)
       insert into delivery_dead (orgcode, lane, position, replay_no, error_tag) select orgcode, lane, position, replay_no, error_tag from died`,
      [this.scene.orgcode, webhook.webhook_id],
    );
    return this.deadOf(webhook, count);
  }

  private async deadOf({ webhook_id }: SceneWebhook, count: number): Promise<string[]> {
    const { body } = await this.scene.call('webhook/delivery/list', { webhook_id, status: 'dead', limit: 256 });
    return (body.data.items as { delivery_id: string }[]).map(({ delivery_id }) => delivery_id).slice(0, count);
  }

  /** Rows of the organisation, as the owner of the database sees them. */
  rows<Row extends object>(select: string): Promise<Row[]> {
    return this.scene.rows<Row>(select);
  }

  /** Changes the organisation's rows behind the product's back. */
  async change(update: string): Promise<void> {
    await this.api.database.asOwner(`${update} where orgcode = $1`, [this.scene.orgcode]);
  }
}
