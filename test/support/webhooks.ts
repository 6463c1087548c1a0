import { TestApi, writeGrounds, type ApiAnswer } from './api.js';

/** Lets endpoints of specs be on this machine. */
export const LOCAL_ENDPOINTS = { WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' };

type Named = { webhook_id: string; revision: string };

/** An organisation that works on its webhooks. */
export class WebhookOwner {
  private constructor(
    private readonly api: TestApi,
    readonly orgcode: string,
    readonly key: string,
  ) {}

  static async of(api: TestApi): Promise<WebhookOwner> {
    const { orgcode, key } = await api.anOwner();
    return new WebhookOwner(api, orgcode, key);
  }

  call(path: string, body: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.api.call(path, body, { orgcode: this.orgcode, key: this.key, headers });
  }

  write(path: string, fields: object, headers?: Record<string, string>): Promise<ApiAnswer> {
    return this.call(path, { ...writeGrounds(this.orgcode), ...fields }, headers);
  }

  create(fields: object = {}): Promise<ApiAnswer> {
    return this.write('/webhook/create', {
      endpoint_url: 'http://127.0.0.1:8080/in',
      event_filters: [{ service: 'pos', actions: ['basket.*'] }],
      ...fields,
    });
  }

  change(path: string, { webhook_id, revision }: Named, fields: object = {}): Promise<ApiAnswer> {
    return this.write(path, { webhook_id, expected_revision: revision, ...fields });
  }

  /** As it is set up, without what is told of its deliveries. */
  async get(webhook_id: string): Promise<Named & Record<string, unknown>> {
    const { webhook } = (await this.call('/webhook/get', { webhook_id })).body.data;
    const told = Object.entries(webhook as object).filter(([name]) => !['deliveries', 'backlog'].includes(name));
    return Object.fromEntries(told) as Named & Record<string, unknown>;
  }

  /** What IPM said of its own doings, in order. */
  async ownEvents(): Promise<{ action: string; payload: Record<string, unknown> }[]> {
    return (await this.call('/cdc/list', { service: 'ipm', limit: 256 })).body.data.items;
  }
}

export function tagsOf({ body }: ApiAnswer): string[] {
  return ((body.error?.details as { fields?: { tag: string }[] } | undefined)?.fields ?? []).map(({ tag }) => tag);
}
