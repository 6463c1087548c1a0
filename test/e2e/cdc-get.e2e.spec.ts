import type { PublishedItem } from '../../src/cdc/cdc.dto.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { anEvent } from '../support/events.js';
import type { Organisation } from '../support/event-types.js';
import { appendToLog, readFeed } from '../support/feed.js';

describe('POST /ipm/cdc/get', () => {
  let api: TestApi;
  let org: Organisation;
  beforeAll(async () => {
    api = await TestApi.start();
    org = await api.anOwner();
  });
  afterAll(() => api.close());

  const get = (request: object, of = org): Promise<ApiAnswer> => api.call('/cdc/get', request, of);
  const publish = async (event: object): Promise<string> => {
    const { body } = await api.call('/event/publish', { events: [event] }, org);
    const [item] = body.data.items as [PublishedItem];
    expect(item.status).toBe('accepted');
    return item.position!;
  };
  const refusalOf = async (request: object, of = org): Promise<unknown[]> => {
    const { status, body } = await get(request, of);
    return [status, body.error?.error_code];
  };
  const NOT_FOUND = [404, 'event_not_found'];

  it('shows an event as the feed does, by its position and by its id and time', async () => {
    const event = anEvent({
      occurred_at: '2026-05-01T10:00:00.123456+02:00',
      logical_guid: 'store "1" 🏬',
      source_refs: [{ kind: 'order', id: '7' }],
      payload: { text: '"},{"position":"9"', nested: [{ ü: null }], n: -0.5 },
    });
    const position = await publish(event);
    const { events } = await readFeed(api, org, { limit: 256 });
    const shown = events.find((one) => one.position === position);
    expect(shown).toMatchObject(event);
    expect((await get({ position })).body.data).toEqual({ event: shown, deliveries: [] });
    const { event_id, occurred_at } = event;
    expect((await get({ event_id, occurred_at })).body.data).toEqual({ event: shown, deliveries: [] });
    expect((await get({ event_id })).body.data).toEqual({ event: shown, deliveries: [] });
  });

  it('shows an event that IPM wrote itself', async () => {
    const [own] = (await readFeed(api, org, { service: 'ipm' })).events;
    expect((await get({ position: own!.position })).body.data.event).toEqual(own);
  });

  it.each([
    '2026-06-01T12:00:00.5Z',
    '2026-06-01T12:00:00.500Z',
    '2026-06-01T12:00:00.500000999Z',
    '2026-06-01T14:30:00.5+02:30',
    '2026-06-01t12:00:00.5z',
  ])('knows an instant however it is written: %s', async (occurred_at) => {
    const event_id = `instant-${occurred_at}`;
    await publish(anEvent({ event_id, occurred_at: '2026-06-01T12:00:00.500000Z' }));
    expect((await get({ event_id, occurred_at })).body.data.event).toMatchObject({ event_id });
    expect(await refusalOf({ event_id, occurred_at: '2026-06-01T12:00:00.500001Z' })).toEqual(NOT_FOUND);
  });

  it('shows the youngest of several of one id, and the others by their time', async () => {
    const times = ['2026-07-02T00:00:00Z', '2026-07-03T00:00:00Z', '2026-07-01T00:00:00Z'];
    for (const occurred_at of times) await publish(anEvent({ event_id: 'thrice', occurred_at }));
    expect((await get({ event_id: 'thrice' })).body.data.event.occurred_at).toBe(times[1]);
    for (const occurred_at of times)
      expect((await get({ event_id: 'thrice', occurred_at })).body.data.event.occurred_at).toBe(occurred_at);
  });

  it('goes by the position where both are given', async () => {
    const position = await publish(anEvent());
    const event_id = String(anEvent().event_id);
    expect((await get({ position, event_id })).body.data.event.position).toBe(position);
  });

  it.each([
    '0',
    '-1',
    '007',
    '1.0',
    '1e3',
    ' 1',
    '0x1',
    '१',
    '9000000000000000000',
    '9223372036854775807',
    '9223372036854775808',
    '9999999999999999999',
    '99999999999999999999',
    'first',
  ])('answers 404 to position %j', async (position) => {
    expect(await refusalOf({ position })).toEqual(NOT_FOUND);
  });

  it('answers 404 to an event of another organisation as to none', async () => {
    const event = anEvent();
    const position = await publish(event);
    const stranger = await api.anOwner();
    const { event_id, occurred_at } = event;
    for (const request of [{ position }, { event_id }, { event_id, occurred_at }])
      expect(await refusalOf(request, stranger)).toEqual(NOT_FOUND);
    expect(await refusalOf({ event_id: 'nowhere' })).toEqual(NOT_FOUND);
    expect(await refusalOf({ position: String(BigInt(position) + 1_000n) })).toEqual(NOT_FOUND);
  });

  it('answers 404 to what retention has dropped', async () => {
    const reader = await api.anOwner();
    const [first, second] = await appendToLog(api.database, reader.orgcode, [
      { event_id: 'gone', occurred_at: '2026-01-01T00:00:00Z' },
      { event_id: 'kept' },
    ]);
    await api.database.asOwner('update org_head set dropped_to = $2 where orgcode = $1', [reader.orgcode, first]);
    expect(await refusalOf({ position: String(first) }, reader)).toEqual(NOT_FOUND);
    expect(await refusalOf({ event_id: 'gone' }, reader)).toEqual(NOT_FOUND);
    expect(await refusalOf({ event_id: 'gone', occurred_at: '2026-01-01T00:00:00Z' }, reader)).toEqual(NOT_FOUND);
    expect((await get({ position: String(second) }, reader)).status).toBe(200);
  });

  it('looks for an id alone among the 100,000 events that occurred last, and with its time among all', async () => {
    const reader = await api.anOwner();
    const [old, edge] = [
      { event_id: 'old', occurred_at: '2026-01-01T00:00:00Z' },
      { event_id: 'edge', occurred_at: '2026-01-01T00:00:01Z' },
    ];
    await appendToLog(api.database, reader.orgcode, [old, edge]);
    await api.database.asOwner(
      `insert into event_key (orgcode, occurred_at, event_id, position)
       select $1, timestamptz '2026-02-01' + n * interval '1 second', 'k' || n, 0 from generate_series(1, 100000 - 2) n`,
      [reader.orgcode], // and the one of the key that was made
    );
    expect((await get({ event_id: 'edge' }, reader)).status).toBe(200);
    expect(await refusalOf({ event_id: 'old' }, reader)).toEqual(NOT_FOUND);
    expect((await get(old, reader)).body.data.event).toMatchObject(old);
  });

  it.each([{}, { occurred_at: '2026-01-01T00:00:00Z' }, { position: null, event_id: null }])(
    'answers 400 to %j, which names no event',
    async (request) => expect(await refusalOf(request)).toEqual([400, 'event_not_named']),
  );

  it.each<[string, string, object]>([
    ['position', 'not_text', { position: 7 }],
    ['position', 'too_short', { position: '' }],
    ['position', 'too_long', { position: '1'.repeat(21) }],
    ['event_id', 'not_an_id', { event_id: 'a b' }],
    ['event_id', 'not_an_id', { event_id: 'é' }],
    ['occurred_at', 'not_a_time', { event_id: 'e', occurred_at: '2026-02-30T00:00:00Z' }],
  ])('answers 400 where %s is %s', async (path, tag, request) => {
    const { status, body } = await get(request);
    expect([status, body.error?.details]).toEqual([400, { fields: [{ path, tag }] }]);
  });
});
