import { randomBytes } from 'node:crypto';
import { writeGrounds, type ApiAnswer, type TestApi } from './api.js';

export interface Organisation {
  orgcode: string;
  key: string;
}

/** An event type as event/catalog/register takes it; of a service that nobody else has. */
export function anEventType(change: object = {}): Record<string, unknown> & { service: string; action: string } {
  return {
    service: 'own',
    action: `thing.t${randomBytes(4).toString('hex')}`,
    schema_version: '1.0',
    schema: { type: 'object' },
    ...change,
  };
}

export function registerType(api: TestApi, { orgcode, key }: Organisation, event_type: object): Promise<ApiAnswer> {
  return api.call('/event/catalog/register', { ...writeGrounds(orgcode), event_type }, { orgcode, key });
}

/** All items of a list, page by page, asked with the given limit. */
export async function everyItem(
  api: TestApi,
  path: string,
  { orgcode, key }: Organisation,
  body: object,
  items: 'items' | 'contracts' = 'items',
): Promise<{ all: Record<string, unknown>[]; pages: number[] }> {
  const all: Record<string, unknown>[] = [];
  const pages: number[] = [];
  let next_token: object | undefined;
  do {
    const { status, body: answer } = await api.call(path, { ...body, next_token }, { orgcode, key });
    if (status !== 200) throw new Error(JSON.stringify(answer.error));
    const page = answer.data[items] as Record<string, unknown>[];
    all.push(...page);
    pages.push(page.length);
    next_token = answer.data.next_token as object | undefined;
  } while (next_token);
  return { all, pages };
}
