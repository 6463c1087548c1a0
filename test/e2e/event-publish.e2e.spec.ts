import type { PublishedItem } from '../../src/cdc/cdc.dto.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { anEvent } from '../support/events.js';

describe('POST /ipm/event/publish', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  beforeAll(async () => {
    api = await TestApi.start();
    ({ orgcode, key } = await api.anOwner());
  });
  afterAll(() => api.close());

  const publish = (events: unknown, more: object = {}): Promise<ApiAnswer> =>
    api.call('/event/publish', { events, ...more }, { orgcode, key });

  it('answers each event its position, in the order given, and the feed shows them so', async () => {
    const events = Array.from({ length: 5 }, () => anEvent());
    const { status, body } = await publish(events, { reason: 'a batch', source_refs: [{ kind: 'spec', id: '7' }] });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ accepted: 5, duplicate: 0, rejected: 0 });
    const positions = body.data.items.map((item: { position: string }) => BigInt(item.position));
    expect(positions).toEqual([...positions].sort((a, b) => Number(a - b)));
    const feed = await api.call('/cdc/list', { service: 'pos', limit: 256 }, { orgcode, key });
    expect(feed.body.data.has_more).toBe(false);
    expect(feed.body.data.items).toEqual(
      events.map((event, i) => ({
        ...event,
        reason: 'a batch',
        source_refs: [{ kind: 'spec', id: '7' }],
        request_context: expect.objectContaining({ orgcode, roles: ['owner'], context_source: 'api_key' }),
        flags: ['not_in_catalog'],
        orgcode,
        origin: 'publish',
        position: String(positions[i]),
        recorded_at: expect.stringMatching(/^\d{4}-.*Z$/),
      })),
    );
  });

  it('rejects one bad event with its fields and takes the others', async () => {
    const { body } = await publish([
      anEvent(),
      anEvent({ event_id: 'with blank' }),
      7,
      anEvent({ occurred_at: '2026-02-30T00:00:00Z' }),
      anEvent({ service: 'ipm' }),
      anEvent({ payload: { note: 'nul \0' } }),
      anEvent({ payload: { n: 2 ** 60 } }),
      anEvent({ occurred_at: new Date(Date.now() + 25 * 3_600_000).toISOString() }),
      anEvent({ request_context: { orgcode: 'other' } }),
      anEvent({ payload: { text: 'x'.repeat(300_000) } }),
      anEvent(),
    ]);
    expect(body.data).toMatchObject({ accepted: 2, rejected: 9 });
    expect(body.data.items.map((item: PublishedItem) => item.error?.error_code ?? item.status)).toEqual([
      'accepted',
      'event_invalid',
      'event_unreadable',
      'event_invalid',
      'event_service_reserved',
      'event_invalid',
      'event_invalid',
      'event_in_future',
      'event_context_mismatch',
      'event_too_large',
      'accepted',
    ]);
  });

  it('answers a duplicate the position that it has', async () => {
    const event = anEvent();
    const [first] = (await publish([event])).body.data.items;
    const again = (await publish([{ ...event, payload: { other: true } }, anEvent(), event])).body.data;
    expect(again).toMatchObject({ accepted: 1, duplicate: 2 });
    expect([again.items[0].position, again.items[2].position]).toEqual([first.position, first.position]);
  });

  it('takes NDJSON, a line an event', async () => {
    const lines = [JSON.stringify(anEvent()), 'no json', '', JSON.stringify(anEvent())].join('\r\n');
    const answer = await api.send(
      '/event/publish',
      { orgcode, key, headers: { 'content-type': 'application/x-ndjson' } },
      `\ufeff${lines}`,
    );
    expect(answer.body.data).toMatchObject({ accepted: 2, rejected: 1 });
    expect(answer.body.data.items[1].error.error_code).toBe('event_unreadable');
  });

  it('says what is too old to be pushed', async () => {
    const old = anEvent({ occurred_at: new Date(Date.now() - 25 * 3_600_000).toISOString() });
    const { body } = await publish([old, anEvent()]);
    expect(body.data.items.map((item: PublishedItem) => item.pushed)).toEqual([false, true]);
  });

  it.each([[[]], [Array.from({ length: 1_001 }, () => ({}))], ['none'], [undefined]])(
    'answers 400 to a body whose events are no batch',
    async (events) => {
      expect((await publish(events)).status).toBe(400);
    },
  );

  it('takes 8 MiB and refuses more', async () => {
    const big = Array.from({ length: 40 }, () => anEvent({ payload: { text: 'x'.repeat(200_000) } }));
    expect((await publish(big)).body.data).toMatchObject({ accepted: 40 });
    const bigger = await publish([...big, ...big]);
    expect(bigger.status).toBe(413);
    expect(bigger.body.error?.details).toEqual({ max_bytes: 8 * 1024 * 1024 });
  });

  it('puts what IPM does itself into the log of the organisation', async () => {
    const { body } = await api.call(
      '/access/key/create',
      { roles: ['auditor'], ...writeGrounds(orgcode) },
      { orgcode, key },
    );
    const feed = await api.call('/cdc/list', { service: 'ipm', limit: 256 }, { orgcode, key });
    const made = feed.body.data.items.at(-1);
    expect(made).toMatchObject({
      action: 'access.key_created',
      origin: 'ipm',
      payload: { key_id: body.data.key.key_id },
    });
  });
});
