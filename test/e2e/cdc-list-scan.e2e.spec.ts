import fc from 'fast-check';
import { EventZoneRepository } from '../../src/cdc/event-zone.repository.js';
import { Database } from '../../src/platform/database/database.js';
import { TestApi } from '../support/api.js';
import { anEvent } from '../support/events.js';
import type { Organisation } from '../support/event-types.js';
import { appendToLog, readFeed, type FeedEvent, type LoggedEvent } from '../support/feed.js';

jest.setTimeout(60_000);

const idsOf = (events: readonly FeedEvent[]): string[] => events.map(({ event_id }) => event_id);

describe('a page of cdc/list', () => {
  let api: TestApi;
  beforeAll(async () => (api = await TestApi.start({ EVENT_PARTITION_SIZE: '1000' })));
  afterAll(() => api.close());

  const aReader = async (): Promise<Organisation> => {
    const orgcode = await api.anOrg();
    return { orgcode, key: await api.aKey(orgcode, 'integration_service') };
  };
  const list = async (request: object, { orgcode, key }: Organisation, of = api): Promise<Record<string, never>> =>
    (await of.call('/cdc/list', request, { orgcode, key })).body.data;

  describe('with a filter that few events pass', () => {
    const COUNT = 50_001;
    const RARE = [0, 1, 24_999, 25_000, 45_678, COUNT - 1];
    let org: Organisation;
    beforeAll(async () => {
      org = await aReader();
      const events = Array.from({ length: COUNT }, (_, n) => ({
        event_id: `e-${n}`,
        channel_code: RARE.includes(n) ? 'rare' : 'common',
      }));
      for (let n = 0; n < COUNT; n += 10_000) await appendToLog(api.database, org.orgcode, events.slice(n, n + 10_000));
    });

    it('answers short, even empty, with more to come, and loses nothing', async () => {
      const { events, pages } = await readFeed(api, org, { channel_code: 'rare' });
      expect(idsOf(events)).toEqual(RARE.map((n) => `e-${n}`));
      expect(pages).toEqual([2, 2, 2]);
      const none = await readFeed(api, org, { channel_code: 'none' });
      expect(none).toMatchObject({ events: [], pages: [0, 0, 0] });
    });

    it('stops at each that it was asked for, wherever a page ends', async () => {
      const { events, pages } = await readFeed(api, org, { channel_code: 'rare', limit: 1 });
      expect(idsOf(events)).toEqual(RARE.map((n) => `e-${n}`));
      expect(pages.reduce((sum, length) => sum + length, 0)).toBe(RARE.length);
      expect(Math.max(...pages)).toBe(1);
    });

    it('shows what arrives behind an empty page by the token of that page', async () => {
      const { next_token } = await readFeed(api, org, { channel_code: 'late' });
      await appendToLog(api.database, org.orgcode, [{ event_id: 'late', channel_code: 'late' }]);
      expect(idsOf((await readFeed(api, org, { channel_code: 'late', next_token })).events)).toEqual(['late']);
    });
  });

  describe('whose token retention has overtaken', () => {
    let org: Organisation;
    let positions: bigint[];
    beforeAll(async () => {
      org = await aReader();
      positions = await appendToLog(
        api.database,
        org.orgcode,
        Array.from({ length: 10 }, (_, n) => ({ event_id: `e-${n}`, channel_code: n % 2 ? 'odd' : 'even' })),
      );
    });
    const dropTo = (n: number): Promise<unknown> =>
      api.database.asOwner('update org_head set dropped_to = $2 where orgcode = $1', [org.orgcode, positions[n]]);

    it('is answered with 410 and a token that goes on at the first event that is kept, with the same filters', async () => {
      const filters = { channel_code: 'odd', limit: 1 };
      const { next_token } = await list(filters, org); // after e-1
      await dropTo(4);
      const { orgcode, key } = org;
      const { status, body } = await api.call('/cdc/list', { ...filters, next_token }, { orgcode, key });
      expect([status, body.error?.error_code, body.error?.major?.tag]).toEqual([
        410,
        'next_token_expired',
        'not_found',
      ]);
      const { earliest_token } = body.error?.details as { earliest_token: object };
      const rest = await readFeed(api, org, { ...filters, next_token: earliest_token });
      expect(idsOf(rest.events)).toEqual(['e-5', 'e-7', 'e-9']);
      const unfiltered = await api.call('/cdc/list', { next_token: earliest_token }, { orgcode, key });
      expect(unfiltered.body.error?.error_code).toBe('next_token_invalid');
    });

    it('is good as long as nothing that it had not seen is gone', async () => {
      const { next_token } = await list({ limit: 256, service: 'bulk' }, org);
      await dropTo(9);
      expect(await list({ service: 'bulk', next_token }, org)).toMatchObject({ items: [], has_more: false });
    });

    it('shows nothing of what is gone to who begins anew', async () => {
      await dropTo(6);
      expect(idsOf((await readFeed(api, org, { limit: 2 })).events)).toEqual(['e-7', 'e-8', 'e-9']);
    });
  });

  describe('over many small partitions', () => {
    let org: Organisation;
    let other: Organisation;
    const published: string[] = [];
    const nextPartition = (): Promise<unknown> => api.database.asOwner('select ipm_begin_event_partition()');

    beforeAll(async () => {
      [org, other] = [await aReader(), await aReader()];
      await appendToLog(api.database, other.orgcode, [{ event_id: 'first' }]);
      await nextPartition();
      for (let round = 0; round < 6; round += 1) {
        const events = Array.from({ length: 700 }, (_, n) => anEvent({ channel_code: n % 100 ? 'common' : 'rare' }));
        const { body } = await api.call('/event/publish', { events }, org);
        expect(body.data).toMatchObject({ accepted: 700 });
        published.push(...events.map(({ event_id }) => String(event_id)));
        if (round % 2) await nextPartition();
      }
      await api.database.asOwner('select ipm_add_event_partition(1000) from generate_series(1, 60)');
      for (let round = 0; round < 50; round += 1) {
        await appendToLog(api.database, org.orgcode, [{ event_id: `lone-${round}` }]);
        await nextPartition();
        published.push(`lone-${round}`);
      }
      await appendToLog(api.database, other.orgcode, [{ event_id: 'last' }]);
    });

    it('has every event once and in order', async () => {
      const { events } = await readFeed(api, org, { limit: 256 });
      const [ofIpm, ...rest] = idsOf(events);
      expect([typeof ofIpm, rest]).toEqual(['string', published]);
    });

    it('has every event that passes', async () => {
      const { events } = await readFeed(api, org, { limit: 5, channel_code: 'rare' });
      expect(idsOf(events)).toEqual(published.slice(0, 4_200).filter((_, n) => n % 100 === 0));
    });

    it('finds the next event of an organisation that has few, however many partitions lie between', async () => {
      const { events, pages } = await readFeed(api, other, { service: 'bulk' });
      expect(idsOf(events)).toEqual(['first', 'last']);
      expect(pages.length).toBeLessThan(4);
    });

    it('goes on into partitions that were made after the page before', async () => {
      const { next_token } = await readFeed(api, org, { limit: 256 });
      const events = Array.from({ length: 1_000 }, () => anEvent());
      for (let n = 0; n < 1_000; n += 250) {
        await api.call('/event/publish', { events: events.slice(n, n + 250) }, org);
        await nextPartition();
      }
      const more = await readFeed(api, org, { limit: 256, next_token });
      expect(idsOf(more.events)).toEqual(idsOf(events as unknown as FeedEvent[]));
    });
  });
});

describe('cdc/list with a time filter', () => {
  const HOUR_MICROS = 3_600_000_000n;
  const START_MICROS = BigInt(Date.parse('2026-01-01T00:00:00Z')) * 1_000n;
  let api: TestApi;
  let zoned: TestApi;
  let org: Organisation;
  let events: TimedEvent[];

  beforeAll(async () => {
    api = await TestApi.start();
    const orgcode = await api.anOrg();
    org = { orgcode, key: await api.aKey(orgcode, 'integration_view') };
    const other = await api.anOrg();
    events = someEvents();
    for (let n = 0; n < events.length; n += 500) {
      await appendToLog(api.database, orgcode, events.slice(n, n + 500).map(loggedEvent));
      // then a stretch where only others have something, and one where nobody has
      await appendToLog(api.database, other, [{ event_id: `o-${n}`, occurred_at: '2031-01-01T00:00:00Z' }]);
      await api.database.asOwner(`select setval('event_position', nextval('event_position') + 300)`);
    }
    zoned = await TestApi.startOn(api.database); // looks for zones when it is asked first
  });
  afterAll(async () => {
    await zoned.app.close();
    await api.close();
  });

  /** Times that rise with the position, but for late events and clocks that are ahead. */
  const someEvents = (): TimedEvent[] =>
    Array.from({ length: 3_000 }, (_, n) => {
      const lateHours = n % 97 === 0 ? 500 : n % 389 === 0 ? -2_000 : 0;
      const micros = START_MICROS + BigInt(n - lateHours) * HOUR_MICROS + BigInt(Math.floor(Math.random() * 1e9));
      return { event_id: `e-${n}`, service: n % 3 ? 'pos' : 'shop', micros };
    });

  /** Of all sizes, as the worker cuts them; the newest events are in none yet. */
  const cutZones = async (): Promise<void> => {
    const zones = api.app.get(EventZoneRepository, { strict: false });
    const [log] = await api.database.asOwner<{ last: string }>('select max(position) as last from event');
    const sizes = [1n, 7n, 50n, 200n, 90n, 500n];
    for (let [from, n] = [1n, 0]; from < BigInt(log!.last) - 400n; n += 1) {
      const to = from + sizes[n % sizes.length]!;
      await api.app.get(Database).acrossOrganisations('event log upkeep', (tx) => zones.cut(tx, from, to));
      from = to;
    }
  };

  const micros = fc.oneof(
    fc.integer({ min: -600, max: 5_200 }).map((hours) => START_MICROS + BigInt(hours) * HOUR_MICROS),
    fc.record({ n: fc.nat(2_999), off: fc.bigInt(-1n, 1n) }).map(({ n, off }) => events[n]!.micros + off),
  );
  const filter = fc.record(
    { from: micros, to: micros, service: fc.constantFrom('pos', 'shop') },
    { requiredKeys: [] },
  ) as fc.Arbitrary<{ from?: bigint; to?: bigint; service?: string }>;

  const assertExact = (of: TestApi): Promise<void> =>
    fc.assert(
      fc.asyncProperty(filter, fc.constantFrom(60, 256), async ({ from, to, service }, limit) => {
        const request = {
          limit,
          service,
          ...(from === undefined ? {} : { from_utc: timeOf(from) }),
          ...(to === undefined ? {} : { to_utc: timeOf(to) }),
        };
        const shown = (await readFeed(of, org, request)).events.filter((event) => event.service !== 'ipm');
        const expected = events
          .filter((event) => (from === undefined || event.micros >= from) && (to === undefined || event.micros < to))
          .filter((event) => service === undefined || event.service === service);
        expect(idsOf(shown)).toEqual(expected.map(({ event_id }) => event_id));
      }),
      { numRuns: 40 },
    );

  it('shows exactly what occurred in that time, before there are zones', () => assertExact(api));

  it('shows the same when zones are cut', async () => {
    await cutZones();
    const [zones] = await api.database.asOwner<{ n: number }>('select count(*)::int as n from event_zone');
    expect(zones?.n).toBeGreaterThan(20);
    await assertExact(zoned);
  });

  it('shows what occurred then and arrives behind the zones', async () => {
    const late = { event_id: 'late', service: 'pos', micros: START_MICROS - 5_000n * HOUR_MICROS };
    const request = { to_utc: timeOf(late.micros + 1n) };
    const before = await readFeed(zoned, org, request);
    expect(before.events).toEqual([]);
    await appendToLog(api.database, org.orgcode, [loggedEvent(late)]);
    expect(idsOf((await readFeed(zoned, org, request)).events)).toEqual(['late']);
    expect(idsOf((await readFeed(zoned, org, { ...request, next_token: before.next_token })).events)).toEqual(['late']);
  });
});

interface TimedEvent {
  event_id: string;
  service: string;
  micros: bigint;
}

function loggedEvent({ event_id, service, micros }: TimedEvent): LoggedEvent {
  return { event_id, service, occurred_at: timeOf(micros) };
}

function timeOf(micros: bigint): string {
  const seconds = new Date(Number(micros / 1_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}
