import { EventRetention } from '../../src/cdc/event-retention.service.js';
import { EventPartitions } from '../../src/cdc/event-partitions.service.js';
import { EventZones } from '../../src/cdc/event-zones.service.js';
import { TestApi } from '../support/api.js';
import { anEvent } from '../support/events.js';
import { HeldLock } from '../support/held-lock.js';
import { until } from '../support/until.js';

const DAY_MS = 24 * 60 * 60_000;
const days = (count: number): Date => new Date(Date.now() + count * DAY_MS);

interface Partition {
  name: string;
  from_position: string;
  to_position: string;
  status: string;
}

describe('retention', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeEach(async () => {
    api = await TestApi.start({
      EVENT_PARTITION_SIZE: '1000',
      EVENT_RETENTION_DAYS: '10',
      EVENT_RETENTION_MAX_DAYS: '20',
    });
    ({ orgcode, key } = await api.anOwner());
  });
  afterEach(() => api.close());

  const partitions = (): Promise<Partition[]> =>
    api.database.asOwner('select name, from_position, to_position, status from event_partition order by from_position');
  const publish = async (events: unknown[]): Promise<{ position: string; status: string }[]> =>
    (await api.call('/event/publish', { events }, { orgcode, key })).body.data.items;
  const feed = async (next_token?: object): Promise<ReturnType<TestApi['call']> extends Promise<infer A> ? A : never> =>
    api.call('/cdc/list', { service: 'pos', limit: 256, ...(next_token ? { next_token } : {}) }, { orgcode, key });
  /** A day later the log begins a new partition, and what was in the one before is done with. */
  const newDay = async (): Promise<void> => {
    expect(await api.app.get(EventPartitions).beginDaily(days(1.1))).toBe(true);
    await api.app.get(EventPartitions).noteFull();
  };

  it('drops a partition when all in it is too old, with an operation run and an audit event, and prunes the ledger', async () => {
    const [old, kept] = [anEvent(), anEvent()];
    await publish([old]);
    const token = (await feed()).body.data.next_token;
    await newDay();
    await publish([kept]);
    expect(await api.app.get(EventRetention).dropOld(days(9))).toEqual([]);
    const [first] = await partitions();
    expect(await api.app.get(EventRetention).dropOld(days(11))).toEqual([first?.name]);
    expect((await feed()).body.data.items.map((event: { event_id: string }) => event.event_id)).toEqual([
      kept.event_id,
    ]);
    expect((await feed(token)).body.data.items).toHaveLength(1); // it had seen all that is gone
    expect(await api.database.asOwner('select to_regclass($1) as gone', [first?.name])).toEqual([{ gone: null }]);
    const runs = await api.database.asOwner('select type, subject, status, outcome, counts from operation_run');
    expect(runs).toEqual([
      {
        type: 'event_retention',
        subject: first?.name,
        status: 'completed',
        outcome: 'succeeded',
        counts: expect.anything(),
      },
    ]);
    const audited = await api.call('/audit/list', { event_type: 'cdc/retention' }, { orgcode, key });
    expect(audited.body.data.items).toMatchObject([{ resource_id: first?.name, actor: 'ipm', outcome: 'done' }]);
    expect((await publish([old, kept])).map(({ status }) => status)).toEqual(['accepted', 'duplicate']);
  });

  it('answers 410 to a token whose next events are gone, with one that goes on', async () => {
    await publish([anEvent()]);
    const token = (await feed()).body.data.next_token;
    const missed = anEvent();
    await publish([missed]);
    await newDay();
    const next = anEvent();
    await publish([next]);
    await api.app.get(EventRetention).dropOld(days(11));
    const refused = await feed(token);
    expect(refused.status).toBe(410);
    expect(refused.body.error).toMatchObject({ error_code: 'next_token_expired' });
    const { earliest_token } = refused.body.error?.details as { earliest_token: object };
    expect((await feed(earliest_token)).body.data.items).toMatchObject([{ event_id: next.event_id }]);
  });

  it.each([
    ['a router that is behind', `insert into router_cursor (orgcode, position) values ($1, 0)`],
    ['a job that reads', `insert into event_hold (orgcode, holder, position) values ($1, 'export 7', 1)`],
  ])('waits for %s, up to its limit', async (_who, hold) => {
    await publish([anEvent()]);
    await newDay();
    await api.database.asOwner(hold, [orgcode]);
    expect(await api.app.get(EventRetention).dropOld(days(15))).toEqual([]);
    expect(await api.app.get(EventRetention).dropOld(days(21))).toHaveLength(1);
  });

  it('does not drop what is not a day old, nor twice at once', async () => {
    await publish([anEvent()]);
    expect(await api.app.get(EventPartitions).beginDaily(days(0.9))).toBe(false);
    await newDay();
    const both = await Promise.all([1, 2].map(() => api.app.get(EventRetention).dropOld(days(11))));
    expect(both.flat()).toHaveLength(1);
  });

  it('goes on after a crash between its steps', async () => {
    const old = anEvent();
    await publish([old]);
    await newDay();
    const [first] = await partitions();
    await api.database.asOwner(`update event_partition set status = 'retiring' where name = $1`, [first?.name]);
    await api.database.asOwner(
      `insert into operation_run (type, subject, initiator, status, heartbeat_at) values ('event_retention', $1, 'ipm', 'running', now() - interval '1 hour')`,
      [first?.name],
    );
    expect(await api.app.get(EventRetention).dropOld(days(0))).toEqual([first?.name]);
    expect(await api.database.asOwner('select status, outcome from operation_run')).toEqual([
      { status: 'completed', outcome: 'succeeded' },
    ]);
  });

  it('lets a writer that is at work be, and the partition be dropped when it is done', async () => {
    await publish([anEvent()]);
    await newDay();
    const writing = Promise.all(Array.from({ length: 30 }, () => publish([anEvent()])));
    await api.app.get(EventRetention).dropOld(days(11));
    expect((await writing).flat().every(({ status }) => status === 'accepted')).toBe(true);
  });

  describe('before it', () => {
    it('there is always room for what comes: partitions stand ready, also where no worker made one', async () => {
      const [, , last] = await partitions();
      await api.database.asOwner(`select setval('event_position', $1)`, [BigInt(last!.to_position) - 3n]);
      const items = await publish(Array.from({ length: 10 }, () => anEvent()));
      expect(items.every(({ status }) => status === 'accepted')).toBe(true);
      expect((await feed()).body.data.items).toHaveLength(10);
      expect((await partitions()).length).toBeGreaterThanOrEqual(5);
    });

    it('zones are cut over what is settled and say when their events occurred', async () => {
      await publish([
        anEvent({ occurred_at: '2026-01-01T00:00:00.000001Z' }),
        anEvent({ occurred_at: '2026-02-01T00:00:00Z' }),
      ]);
      await newDay();
      // Settled is what no transaction of the whole cluster can still change: other specs have some, too.
      await until(async () => (await api.app.get(EventZones).cut(10)) > 0);
      const [zone] = await api.database.asOwner(
        `select from_position, first_occurred_at::text as first from event_zone order by 1`,
      );
      expect(zone).toEqual({ from_position: '1', first: expect.stringMatching(/^202[56]-/) });
      const [last] = await api.database.asOwner<{ to: string }>('select max(to_position) as to from event_zone');
      expect(last?.to).toBe((await partitions())[0]?.to_position);
    });

    it('a zone is not cut over what is not committed yet', async () => {
      const writer = await HeldLock.take(
        api.database,
        `with org as materialized (select set_config('ipm.orgcode', $1, true))
         select a.* from org, ipm_append($1, null, '1 day', array['late'], array[now()], array['s'], array['a'], array[null], array[null], array['{}']) a`,
        [await api.anOrg()],
      );
      await api.database.asOwner(`select setval('event_position', 4999999)`); // the partition is as good as full
      const ends = (): Promise<unknown[]> => api.database.asOwner('select max(to_position) as end from event_zone');
      for (let round = 0; round < 4; round += 1) await api.app.get(EventZones).cut(1_000);
      expect(await ends()).toEqual([{ end: null }]);
      await writer.release();
      await until(async () => (await api.app.get(EventZones).cut(1_000)) > 0);
      expect(await ends()).not.toEqual([{ end: null }]);
    });
  });
});
