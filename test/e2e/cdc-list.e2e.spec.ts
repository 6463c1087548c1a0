import type { PublishedItem } from '../../src/cdc/cdc.dto.js';
import { DatabaseLife } from '../../src/platform/database/database-life.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { anEvent } from '../support/events.js';
import type { Organisation } from '../support/event-types.js';
import { readFeed, type FeedEvent } from '../support/feed.js';

describe('POST /ipm/cdc/list', () => {
  let api: TestApi;
  let org: Organisation;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (org = await aReader()));
  afterAll(() => api.close());

  /** Without the events that IPM itself writes when an organisation's first key is made. */
  const aReader = async (): Promise<Organisation> => {
    const orgcode = await api.anOrg();
    const key = await api.aKey(orgcode, 'integration_service');
    await api.database.asOwner('delete from event where orgcode = $1', [orgcode]);
    return { orgcode, key };
  };
  const list = (request: object = {}, { orgcode, key } = org): Promise<ApiAnswer> =>
    api.call('/cdc/list', request, { orgcode, key });
  const publish = async (...events: object[]): Promise<PublishedItem[]> => {
    const { body } = await api.call('/event/publish', { events }, org);
    expect(body.data).toMatchObject({ accepted: events.length });
    return body.data.items;
  };
  const idsOf = (events: readonly FeedEvent[]): string[] => events.map(({ event_id }) => event_id);
  const numbered = (
    count: number,
    fields: (n: number) => Record<string, unknown> = () => ({}),
  ): (object & { event_id: string })[] =>
    Array.from({ length: count }, (_, n) => ({ ...anEvent(fields(n)), event_id: `e-${n}` }));

  it('shows the events in the order of their positions, whoever published them when', async () => {
    const published = await Promise.all(
      Array.from({ length: 12 }, () => publish(...Array.from({ length: 5 }, () => anEvent()))),
    );
    const { events } = await readFeed(api, org, { limit: 7 });
    const positions = events.map(({ position }) => BigInt(position));
    expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(positions)).toEqual(new Set(published.flat().map(({ position }) => BigInt(position!))));
    expect(positions).toHaveLength(60);
  });

  it('goes by position and not by time: what occurred long ago stands where it arrived', async () => {
    const [first, late] = [anEvent(), anEvent({ occurred_at: '1999-12-31T23:59:59Z' })];
    await publish(first);
    await publish(late);
    expect(idsOf((await list()).body.data.items)).toEqual([first.event_id, late.event_id]);
  });

  it.each([
    [undefined, 8],
    [null, 8],
    [0, 1],
    [-5, 1],
    [1, 1],
    [256, 256],
    [257, 256],
    [2 ** 31, 256],
  ])('takes limit %p as %i', async (limit, shown) => {
    await publish(...numbered(260));
    const { body } = await list({ limit });
    expect(body.data.items).toHaveLength(shown);
    expect(body.data.has_more).toBe(true);
  });

  it.each(['8', 1.5, true, [], {}])('answers 400 to limit %j', async (limit) => {
    const { status, body } = await list({ limit });
    expect([status, body.error?.details]).toEqual([400, { fields: [{ path: 'limit', tag: 'not_an_integer' }] }]);
  });

  it.each([1, 3, 10, 256])('adds up to the whole log in pages of %i, with more on all but the last', async (limit) => {
    const events = numbered(30);
    await publish(...events);
    const read = await readFeed(api, org, { limit });
    expect(idsOf(read.events)).toEqual(idsOf(events as FeedEvent[]));
    expect(read.pages).toHaveLength(Math.ceil(30 / limit));
    expect((await list({ next_token: read.next_token })).body.data).toMatchObject({ items: [], has_more: false });
  });

  it('always gives a token, at the end of the log and of an empty one too, and it goes on from there', async () => {
    const empty = (await list()).body.data;
    expect(empty).toEqual({ items: [], next_token: { token: expect.any(String) }, has_more: false });
    const [first, second] = [anEvent(), anEvent()];
    await publish(first);
    const one = (await list({ next_token: empty.next_token })).body.data;
    expect([idsOf(one.items), one.has_more]).toEqual([[first.event_id], false]);
    await publish(second);
    expect(idsOf((await list({ next_token: one.next_token })).body.data.items)).toEqual([second.event_id]);
    expect(idsOf((await list({ next_token: empty.next_token })).body.data.items)).toHaveLength(2);
  });

  describe('filters', () => {
    const ODD = ['%', '_', '*', '?', "'", '"', '\\', "x' or '1'='1", 'a%', 'a_b', 'axb', 'A_B', '$1', ' ', '.*', '[a]'];
    const UNICODE = [
      'é',
      'e\u0301',
      'É',
      'ß',
      'ss',
      'Ⅷ',
      '店舗',
      '🏬',
      '🏬\u200d',
      '\u202eabc',
      '\ufeff',
      'x'.repeat(256),
    ];

    it.each(['logical_guid', 'channel_code'])('take %s literally, whatever characters it has', async (field) => {
      const values = [...ODD, ...UNICODE];
      await publish(...values.map((value, n) => ({ ...anEvent(), event_id: `e-${n}`, [field]: value })), anEvent());
      for (const [n, value] of values.entries()) {
        const { items } = (await list({ [field]: value, limit: 256 })).body.data;
        expect([value, idsOf(items)]).toEqual([value, [`e-${n}`]]);
      }
    });

    it('take service literally', async () => {
      const services = ['a_b', 'axb', 'A_B', 'a.b', 'a', 'a:b-c'];
      await publish(...services.map((service) => ({ ...anEvent(), event_id: service, service })));
      for (const service of services) expect(idsOf((await list({ service })).body.data.items)).toEqual([service]);
      for (const service of ['%', '*', 'a%', '_', 'a*', '.', "a'b", '店舗'])
        expect((await list({ service })).body.data).toMatchObject({ items: [], has_more: false });
    });

    it('hold together', async () => {
      const both = { service: 'shop', logical_guid: 'store-1', channel_code: 'web' };
      const others = [{ service: 'pos' }, { logical_guid: 'store-2' }, { channel_code: 'till' }];
      await publish(...others.map((other) => anEvent({ ...both, ...other })), { ...anEvent(both), event_id: 'it' });
      expect(idsOf((await list(both)).body.data.items)).toEqual(['it']);
      expect((await list({ service: 'shop' })).body.data.items).toHaveLength(3);
    });

    it('that are null or absent mean any', async () => {
      await publish(anEvent({ channel_code: 'web' }), anEvent());
      const none = { service: null, logical_guid: null, channel_code: null, from_utc: null, to_utc: null };
      expect((await list({ ...none, next_token: null })).body.data.items).toHaveLength(2);
    });

    it.each<[string, string, unknown]>([
      ['service', 'too_short', ''],
      ['service', 'too_long', 's'.repeat(65)],
      ['logical_guid', 'too_long', 'g'.repeat(257)],
      ['channel_code', 'not_text', 7],
      ['channel_code', 'not_text', ['web']],
      ['from_utc', 'not_a_time', 'yesterday'],
      ['to_utc', 'not_a_time', '2026-02-30T00:00:00Z'],
      ['from_utc', 'not_a_time', '2026-01-01T00:00:00'],
      ['from_utc', 'not_a_time', 1_767_225_600],
    ])('that are wrong are answered with 400: %s is %s', async (path, tag, value) => {
      const { status, body } = await list({ [path]: value });
      expect([status, body.error?.details]).toEqual([400, { fields: [{ path, tag }] }]);
    });
  });

  describe('from_utc and to_utc', () => {
    const at = (micros: number): string => `2026-03-01T10:00:00.${String(micros).padStart(6, '0')}Z`;
    beforeEach(() => publish(...numbered(10, (n) => ({ occurred_at: at(n) }))));

    const shown = async (from_utc?: string, to_utc?: string): Promise<string> => {
      const { items } = (await list({ from_utc, to_utc, limit: 256 })).body.data;
      return idsOf(items)
        .map((id) => id.slice(2))
        .join('');
    };

    it.each<[string | undefined, string | undefined, string]>([
      [at(3), at(7), '3456'],
      [at(3), undefined, '3456789'],
      [undefined, at(3), '012'],
      [at(4), at(5), '4'],
      [at(5), at(5), ''],
      [at(7), at(3), ''],
      ['2026-03-01T11:00:00.000003+01:00', '2026-03-01T04:30:00.000007-05:30', '3456'],
      ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00.00001Z', '0123456789'],
      ['2026-03-02T09:59:00.000008+23:59', undefined, '89'],
      ['1970-01-01T00:00:00Z', '2200-01-01T00:00:00Z', '0123456789'],
    ])('from %s inclusive to %s exclusive', async (from_utc, to_utc, expected) => {
      expect(await shown(from_utc, to_utc)).toBe(expected);
    });

    it('are one filter however the instant is written', async () => {
      const { next_token } = (await list({ from_utc: at(2), limit: 1 })).body.data;
      const same = { from_utc: '2026-03-01T12:00:00.000002000+02:00', limit: 1, next_token };
      expect(idsOf((await list(same)).body.data.items)).toEqual(['e-3']);
      expect((await list({ ...same, from_utc: at(1) })).status).toBe(400);
    });
  });

  describe('a token', () => {
    const filters = { service: 'pos', from_utc: '2020-01-01T00:00:00Z' };
    let next_token: { token: string };
    beforeEach(async () => {
      await publish(anEvent(), anEvent());
      ({ next_token } = (await list({ ...filters, limit: 1 })).body.data);
    });

    it('goes on with the same filters and any limit', async () => {
      expect((await list({ ...filters, limit: 99, next_token })).body.data.items).toHaveLength(1);
      expect((await list({ ...filters, logical_guid: null, next_token })).status).toBe(200);
    });

    it.each<[string, () => object]>([
      ['other filters', () => ({ ...filters, service: 'shop', next_token })],
      ['one filter more', () => ({ ...filters, to_utc: '2100-01-01T00:00:00Z', next_token })],
      ['one filter less', () => ({ service: 'pos', next_token })],
      ['the same text in another filter', () => ({ ...filters, service: undefined, channel_code: 'pos', next_token })],
      ['a changed text', () => ({ ...filters, next_token: { token: `${next_token.token}A` } })],
      ['a changed position', () => ({ ...filters, next_token: { token: moved(next_token.token) } })],
      ['an empty object', () => ({ ...filters, next_token: {} })],
      ['another form', () => ({ ...filters, next_token: { token: ['WyIxIl0.AAAA'] } })],
    ])('is refused with %s', async (_what, request) => {
      const { status, body } = await list(request());
      expect([status, body.error?.error_code]).toEqual([400, 'next_token_invalid']);
    });

    it('is refused in another organisation, and in another list', async () => {
      const other = await aReader();
      expect((await list({ ...filters, next_token }, other)).body.error?.error_code).toBe('next_token_invalid');
      const key = await api.aKey(org.orgcode, 'auditor');
      const audit = await api.call('/audit/list', { limit: 1 }, { orgcode: org.orgcode, key });
      expect((await list({ next_token: audit.body.data.next_token })).body.error?.error_code).toBe(
        'next_token_invalid',
      );
      const { next_token: ofFeed } = (await list()).body.data;
      const crossed = await api.call('/audit/list', { next_token: ofFeed }, { orgcode: org.orgcode, key });
      expect(crossed.body.error?.error_code).toBe('next_token_invalid');
    });

    it('is refused when a new life of the database has begun', async () => {
      const other = await TestApi.startOn(api.database);
      await other.app.get(DatabaseLife).begin();
      const { orgcode, key } = org;
      const answer = await other.call('/cdc/list', { ...filters, next_token }, { orgcode, key });
      await other.app.close();
      expect([answer.status, answer.body.error?.error_code]).toEqual([400, 'next_token_invalid']);
    });
  });
});

/** With the position of another event and the signature kept. */
function moved(token: string): string {
  const [, mac] = token.split('.');
  return `${Buffer.from('["1"]').toString('base64url')}.${mac}`;
}
