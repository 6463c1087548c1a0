import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { GracefulStop } from '../../src/platform/http/graceful-stop.js';
import { TestApi } from '../support/api.js';
import { anEvent } from '../support/events.js';
import type { Organisation } from '../support/event-types.js';
import { appendToLog, readFeed } from '../support/feed.js';
import { SseClient } from '../support/sse-client.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

describe('GET /ipm/cdc/stream', () => {
  let api: TestApi;
  let url: string;
  let org: Organisation;
  const clients: SseClient[] = [];
  beforeAll(async () => {
    api = await TestApi.start();
    url = await listening(api);
  });
  beforeEach(async () => (org = await aReader()));
  afterEach(() => {
    for (const client of clients.splice(0)) client.cut();
  });
  afterAll(() => api.close());

  const aReader = async (): Promise<Organisation> => {
    const orgcode = await api.anOrg();
    return { orgcode, key: await api.aKey(orgcode, 'integration_service') };
  };
  const open = async (
    query: Record<string, string> = {},
    headers: Record<string, string> = {},
    { orgcode, key } = org,
  ): Promise<SseClient> => {
    return openAt(`${url}?${new URLSearchParams(query)}`, { 'x-orgcode': orgcode, 'x-api-key': key, ...headers });
  };
  const openAt = async (address: string, headers: Record<string, string>): Promise<SseClient> => {
    const client = await SseClient.open(address, headers);
    clients.push(client);
    return client.untilBegun();
  };
  const publish = async (...events: Record<string, unknown>[]): Promise<string[]> => {
    const { body } = await api.call('/event/publish', { events }, org);
    expect(body.data).toMatchObject({ accepted: events.length });
    return events.map(({ event_id }) => String(event_id));
  };
  const some = (count: number, fields: Record<string, unknown> = {}): Record<string, unknown>[] =>
    Array.from({ length: count }, () => anEvent(fields));

  describe('begins', () => {
    it('with what comes next, unless told otherwise', async () => {
      await publish(...some(3));
      const [client, same] = [await open(), await open({ from: 'now' })];
      const published = [...(await publish(...some(2))), ...(await publish(anEvent()))];
      for (const { untilEvents } of [client, same].map((one) => ({ untilEvents: one.untilEvents(3) })))
        expect((await untilEvents).map(({ event }) => event.event_id)).toEqual(published);
    });

    it('at the beginning of the log, and goes on with what comes', async () => {
      const events = some(600);
      await publish(...events);
      const client = await open({ from: 'beginning', service: 'pos' });
      await client.untilEvents(600);
      const later = await publish(...some(2));
      await client.untilEvents(602);
      expect(client.eventIds).toEqual([...events.map(({ event_id }) => event_id), ...later]);
    });

    it('at the first event that retention has left', async () => {
      const positions = await appendToLog(
        api.database,
        org.orgcode,
        ['a', 'b', 'c'].map((event_id) => ({ event_id })),
      );
      await api.database.asOwner('update org_head set dropped_to = $2 where orgcode = $1', [org.orgcode, positions[1]]);
      const client = await open({ from: 'beginning' });
      expect((await client.untilEvents(1))[0]!.event.event_id).toBe('c');
    });

    it.each(['Last-Event-ID', 'from'])('after the event that %s names, at any of them', async (how) => {
      const published = await publish(...some(20));
      const client = await open({ from: 'beginning', service: 'pos' });
      const seen = [...(await client.untilEvents(20))];
      for (const n of [0, 7, 18]) {
        const resumed =
          how === 'from'
            ? await open({ service: 'pos', from: seen[n]!.id })
            : await open({ service: 'pos' }, { 'last-event-id': seen[n]!.id });
        await resumed.untilEvents(19 - n);
        expect(resumed.eventIds).toEqual(published.slice(n + 1));
      }
    });

    it('after Last-Event-ID where both are given, as when a browser comes back to the same address', async () => {
      const published = await publish(...some(3));
      const client = await open({ from: 'beginning', service: 'pos' });
      const [, second] = await client.untilEvents(3);
      const back = await open({ from: 'beginning', service: 'pos' }, { 'last-event-id': second!.id });
      await back.untilEvents(1);
      expect(back.eventIds).toEqual(published.slice(2));
    });

    it('with an id even before there is an event, and misses nothing from there', async () => {
      const client = await open();
      expect([client.retryMs, client.events]).toEqual([1_000, []]);
      client.cut();
      const published = await publish(...some(2));
      const back = await open({}, { 'last-event-id': client.lastEventId });
      await back.untilEvents(2);
      expect(back.eventIds).toEqual(published);
    });
  });

  it('shows each event exactly as the feed does', async () => {
    await publish(anEvent({ payload: { text: 'data: x\n\nid: 7\r\n: \u2028 🏬', quotes: '"' } }), anEvent());
    const client = await open({ from: 'beginning' });
    const { events } = await readFeed(api, org, { limit: 256 });
    await client.untilEvents(events.length);
    expect(client.events.map(({ event }) => event)).toEqual(events);
  });

  it('gives each event the token of cdc/list after it, and takes that of a list', async () => {
    const filters = { service: 'pos', from_utc: '2020-01-01T00:00:00Z' };
    const published = await publish(...some(6));
    const client = await open({ ...filters, from: 'beginning' });
    const streamed = await client.untilEvents(6);
    let next_token: { token: string } | undefined;
    for (const { id } of streamed) {
      const page = await api.call('/cdc/list', { ...filters, limit: 1, next_token }, org);
      ({ next_token } = page.body.data);
      expect(next_token).toEqual({ token: id });
    }
    const { items } = (await api.call('/cdc/list', { ...filters, next_token: { token: streamed[3]!.id } }, org)).body
      .data;
    expect(items).toMatchObject(published.slice(4).map((event_id) => ({ event_id })));
    const early = (await api.call('/cdc/list', { ...filters, limit: 4 }, org)).body.data.next_token as {
      token: string;
    };
    const resumed = await open(filters, { 'last-event-id': early.token });
    await resumed.untilEvents(2);
    expect(resumed.eventIds).toEqual(published.slice(4));
  });

  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['service', { service: 'till' }, { service: 'till' }],
    ['logical_guid', { logical_guid: '%' }, { logical_guid: '%' }],
    ['channel_code', { channel_code: "店 '舗" }, { channel_code: "店 '舗" }],
    [
      'time',
      { from_utc: '2026-01-01T01:00:00+01:00', to_utc: '2026-01-02T00:00:00Z' },
      { occurred_at: '2026-01-01T00:00:00Z' },
    ],
    [
      'all of them',
      { service: 'a', logical_guid: 'b', channel_code: 'c' },
      { service: 'a', logical_guid: 'b', channel_code: 'c' },
    ],
  ])('passes on what passes its filter of %s, from the log and as it comes', async (_what, filter, passing) => {
    const others = (): Record<string, unknown>[] =>
      some(5, { channel_code: 'x', logical_guid: 'y', occurred_at: '2026-01-02T00:00:00Z' });
    const events = [anEvent(passing), anEvent(passing)];
    await publish(...others(), events[0]!, ...others());
    const [whole, live] = [await open({ ...filter, from: 'beginning' }), await open(filter)];
    await publish(...others(), events[1]!, ...others());
    await whole.untilEvents(2);
    await live.untilEvents(1);
    await sleep(100);
    expect(whole.eventIds).toEqual(events.map(({ event_id }) => event_id));
    expect(live.eventIds).toEqual([events[1]!.event_id]);
  });

  it('goes on over a log in which nothing passes, telling how far it has come', async () => {
    const events = Array.from({ length: 50_000 }, (_, n) => ({ event_id: `e-${n}`, channel_code: 'common' }));
    for (let n = 0; n < events.length; n += 10_000)
      await appendToLog(api.database, org.orgcode, events.slice(n, n + 10_000));
    const client = await open({ from: 'beginning', channel_code: 'rare' });
    const first = client.lastEventId;
    await publish(anEvent({ channel_code: 'rare' }));
    await client.untilEvents(1);
    expect(client.heartbeats).toBeGreaterThan(2);
    expect(client.lastEventId).not.toBe(first);
  });

  it('never shows one organisation what belongs to another', async () => {
    const readers = [org, await aReader(), await aReader()];
    const streams = await Promise.all(readers.map((reader) => open({ from: 'beginning' }, {}, reader)));
    await Promise.all(
      readers.flatMap((reader) =>
        Array.from({ length: 10 }, () =>
          api.call('/event/publish', { events: some(10, { channel_code: reader.orgcode }) }, reader),
        ),
      ),
    );
    for (const [n, stream] of streams.entries()) {
      await until(() => stream.events.filter(({ event }) => event.service === 'pos').length === 100);
      expect(new Set(stream.events.map(({ event }) => event.orgcode))).toEqual(new Set([readers[n]!.orgcode]));
    }
  });

  it('says in its headers what it is, that nobody may keep it, and what is left of the rate', async () => {
    const { response } = await open();
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'ratelimit-policy': '"feed";q=1000000;w=60',
      ratelimit: expect.stringMatching(/^"feed";r=\d+;t=\d+$/),
    });
    expect(response.headers).not.toHaveProperty('content-length');
    expect(response.headers).not.toHaveProperty('content-encoding');
  });

  describe('refuses, before a byte of it,', () => {
    const NOT_AN_ID = { status: 400, error: { error_code: 'last_event_id_invalid' } };
    let id: string;
    beforeEach(async () => {
      await publish(...some(3));
      const client = await open({ from: 'beginning', service: 'pos' });
      id = (await client.untilEvents(3))[0]!.id;
    });

    it.each<[string, () => [Record<string, string>, Record<string, string>?]]>([
      ['an id of other filters', () => [{ service: 'till', from: id }]],
      ['an id without its filter', () => [{}, { 'last-event-id': id }]],
      ['a changed id', () => [{ service: 'pos' }, { 'last-event-id': `${id}A` }]],
      ['a number', () => [{ service: 'pos' }, { 'last-event-id': '7' }]],
      ['a word', () => [{ service: 'pos', from: 'Beginning' }]],
    ])('%s', async (_what, request) => {
      await expect(open(...request())).rejects.toMatchObject(NOT_AN_ID);
    });

    it('an id of another organisation', async () => {
      await expect(open({ service: 'pos', from: id }, {}, await aReader())).rejects.toMatchObject(NOT_AN_ID);
    });

    it('an id after which retention has dropped events, naming the first that goes on', async () => {
      const { events } = await readFeed(api, org, { service: 'pos' });
      await api.database.asOwner('update org_head set dropped_to = $2 where orgcode = $1', [
        org.orgcode,
        events[1]!.position,
      ]);
      const refusal = await open({ service: 'pos' }, { 'last-event-id': id }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ status: 410, error: { error_code: 'next_token_expired' } });
      expect(refusal).toMatchObject({ headers: { 'content-type': 'application/json; charset=utf-8' } });
      const { token } = (refusal as { error: { details: { earliest_token: { token: string } } } }).error.details
        .earliest_token;
      const client = await open({ service: 'pos', from: token });
      expect((await client.untilEvents(1))[0]!.event.event_id).toBe(events[2]!.event_id);
    });

    it.each<[string, string]>([
      ['service=', 'service'],
      ['service=a&service=b', 'service'],
      ['from_utc=yesterday', 'from_utc'],
      ['channel_code[x]=1&channel_code=%00', 'channel_code'],
      [`from=${'x'.repeat(513)}`, 'from'],
    ])('a query that is wrong: %s', async (query, path) => {
      const { orgcode, key } = org;
      const opening = openAt(`${url}?${query}`, { 'x-orgcode': orgcode, 'x-api-key': key });
      await expect(opening).rejects.toMatchObject({ status: 400, error: { details: { fields: [{ path }] } } });
    });

    it('who has no credential, no organisation, or another one', async () => {
      const { orgcode, key } = org;
      await expect(openAt(url, { 'x-orgcode': orgcode })).rejects.toMatchObject({ status: 401 });
      await expect(openAt(url, { 'x-api-key': key })).rejects.toMatchObject({ status: 400 });
      const { orgcode: other } = await aReader();
      await expect(open({}, { 'x-orgcode': other })).rejects.toMatchObject({ status: 404 });
    });
  });

  it('leaves nothing behind when its reader goes', async () => {
    const { signal } = api.app.get(GracefulStop);
    const pumps = 1; // deliveries stop with the process too
    const listeners = (): number => getEventListeners(signal, 'abort').length - pumps;
    await until(() => listeners() === 0);
    for (let round = 0; round < 20; round += 1) {
      const streams = await Promise.all([open(), open({ service: 'pos' }), open({ from: 'beginning' })]);
      for (const stream of streams) stream.cut();
    }
    await until(() => listeners() === 0);
  });
});

async function listening({ app }: TestApi): Promise<string> {
  await app.listen(0, '127.0.0.1');
  return `${await app.getUrl()}/ipm/cdc/stream`;
}
