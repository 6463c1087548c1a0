import { writeGrounds, type ApiAnswer, type TestApi } from './api.js';
import { anEvent } from './events.js';
import type { WebhookSink } from './webhook-sink.js';

/** An application in this process, or a way into others. */
type Way = Pick<TestApi, 'call' | 'database'>;

export interface SceneWebhook {
  webhook_id: string;
  signing_secret: string;
  revision: string;
  path: string;
}

/** One organisation that subscribes to itself: what it publishes arrives at a sink. */
export class DeliveryScene {
  private webhooks = 0;

  private constructor(
    readonly api: Way,
    readonly sink: WebhookSink,
    readonly orgcode: string,
    readonly key: string,
  ) {}

  static async of(api: TestApi, sink: WebhookSink): Promise<DeliveryScene> {
    return DeliveryScene.on(api, sink, await api.anOwner());
  }

  static on(api: Way, sink: WebhookSink, { orgcode, key }: { orgcode: string; key: string }): DeliveryScene {
    return new DeliveryScene(api, sink, orgcode, key);
  }

  async call(operation: string, body: object, api = this.api): Promise<ApiAnswer> {
    const request = { ...writeGrounds(this.orgcode), ...body };
    return api.call(`/${operation}`, request, { orgcode: this.orgcode, key: this.key });
  }

  async webhook(settings: object = {}): Promise<SceneWebhook> {
    this.webhooks += 1;
    const path = `/${this.orgcode}/${this.webhooks}`;
    const { status, body } = await this.call('webhook/create', {
      endpoint_url: `${this.sink.url}${path}`,
      event_filters: [{ service: 'pos' }],
      ...settings,
    });
    if (status !== 200) throw new Error(`webhook/create: ${status} ${JSON.stringify(body)}`);
    return { ...(body.data as object), path } as SceneWebhook;
  }

  async setStatus(webhook: SceneWebhook, status: string, more: object = {}): Promise<number> {
    const current = await this.call('webhook/get', { webhook_id: webhook.webhook_id });
    const { revision } = (current.body.data as { webhook: { revision: string } }).webhook;
    const set = await this.call('webhook/status/set', {
      webhook_id: webhook.webhook_id,
      status,
      expected_revision: revision,
      ...more,
    });
    return set.status;
  }

  async get(webhook: SceneWebhook): Promise<Record<string, unknown>> {
    const { body } = await this.call('webhook/get', { webhook_id: webhook.webhook_id });
    return (body.data as { webhook: Record<string, unknown> }).webhook;
  }

  /** The ids of what was published, in order. */
  async publish(count: number, fields: object | ((n: number) => object) = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let done = 0; done < count; done += 500) {
      const size = Math.min(500, count - done);
      const events = Array.from({ length: size }, (_, i) =>
        anEvent({ ...(typeof fields === 'function' ? fields(done + i) : fields) }),
      );
      const { status } = await this.call('event/publish', { events });
      if (status !== 200) throw new Error(`event/publish: ${status}`);
      ids.push(...events.map(({ event_id }) => event_id as string));
    }
    return ids;
  }

  /** Rows of a table of this organisation, as its owner sees them. */
  rows<Row extends object>(select: string): Promise<Row[]> {
    return this.api.database.asOwner<Row>(`${select} where orgcode = $1`, [this.orgcode]);
  }

  /** How many deliveries there are of each status. */
  async statuses(): Promise<Record<string, number>> {
    const rows = await this.api.database.asOwner<{ status: string; count: number }>(
      'select status, count(*)::int as count from delivery where orgcode = $1 group by status',
      [this.orgcode],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }
}
