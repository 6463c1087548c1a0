import type { TestApi } from './api.js';
import type { TestDatabase } from './database.js';
import type { Organisation } from './event-types.js';

/** An event as the feed shows it. */
export interface FeedEvent extends Record<string, unknown> {
  event_id: string;
  position: string;
}

export interface FeedRead {
  events: FeedEvent[];
  /** How many events each page had. */
  pages: number[];
  next_token: { token: string };
}

/** Page by page as long as there is more. */
export async function readFeed(api: TestApi, { orgcode, key }: Organisation, request: object = {}): Promise<FeedRead> {
  const read: FeedRead = { events: [], pages: [], next_token: { token: '' } };
  for (let body: object = request, more = true; more; body = { ...request, next_token: read.next_token }) {
    const answer = await api.call('/cdc/list', body, { orgcode, key });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body.error));
    const { items, next_token, has_more } = answer.body.data;
    read.events.push(...(items as FeedEvent[]));
    read.pages.push((items as FeedEvent[]).length);
    read.next_token = next_token as { token: string };
    more = has_more as boolean;
  }
  return read;
}

export interface LoggedEvent {
  event_id: string;
  service?: string;
  occurred_at?: string;
  logical_guid?: string;
  channel_code?: string;
}

/** Puts events into the log by the thousand, past the API and by the function that it uses itself. */
export async function appendToLog(
  database: TestDatabase,
  orgcode: string,
  events: readonly LoggedEvent[],
): Promise<bigint[]> {
  const now = new Date().toISOString();
  const full = events.map((event) => ({ service: 'bulk', action: 'thing.made', occurred_at: now, ...event }));
  const rows = await database.asOwner<{ position: string }>(
    `select a.position from (select set_config('ipm.orgcode', $1, true) as orgcode offset 0) o
     cross join lateral ipm_append(o.orgcode, null, '1 day', $2, $3, $4, $5, $6, $7, $8) a order by a.n`,
    [
      orgcode,
      full.map(({ event_id }) => event_id),
      full.map(({ occurred_at }) => occurred_at),
      full.map(({ service }) => service),
      full.map(({ action }) => action),
      full.map(({ logical_guid }) => logical_guid ?? null),
      full.map(({ channel_code }) => channel_code ?? null),
      full.map((event) => JSON.stringify({ ...event, orgcode, origin: 'publish' })),
    ],
  );
  return rows.map(({ position }) => BigInt(position));
}
