import type { PublishedItem } from '../../src/cdc/cdc.dto.js';
import type { TestApi } from './api.js';
import { anEventType, registerType, type Organisation } from './event-types.js';
import { anEvent } from './events.js';

/** An event as the feed shows it. */
export type StoredEvent = Record<string, unknown> & {
  event_id: string;
  service: string;
  action: string;
  payload?: unknown;
};

/** Publishes in one call; the items of the answer. */
export async function published(api: TestApi, who: Organisation, events: readonly object[]): Promise<PublishedItem[]> {
  const { status, body } = await api.call('/event/publish', { events }, who);
  if (status !== 200) throw new Error(JSON.stringify(body.error));
  return body.data.items as PublishedItem[];
}

export async function publishedOne(api: TestApi, who: Organisation, event: object): Promise<PublishedItem> {
  return (await published(api, who, [event]))[0]!;
}

/** The first 256 events of the organisation, or of one service of it. */
export async function feedOf(api: TestApi, who: Organisation, service?: string): Promise<StoredEvent[]> {
  const { body } = await api.call('/cdc/list', { service, limit: 256 }, who);
  return body.data.items as StoredEvent[];
}

/** An event type of the organisation's own, and how to make events of it. */
export interface OwnType {
  service: string;
  action: string;
  event: (payload?: unknown, fields?: object) => Record<string, unknown> & { event_id: string };
}

export async function ownType(api: TestApi, who: Organisation, change: object): Promise<OwnType> {
  const { service, action, ...type } = anEventType(change);
  const { status, body } = await registerType(api, who, { service, action, ...type });
  if (status !== 200) throw new Error(JSON.stringify(body.error));
  const event: OwnType['event'] = (payload, fields = {}) =>
    anEvent({ service, action, payload, ...fields }) as ReturnType<OwnType['event']>;
  return { service, action, event };
}
