import { EventConsumer, EventRouter, type Consumption } from '../../src/cdc/event-router.service.js';
import { RouterCursorRepository, type RoutedEvent } from '../../src/cdc/router-cursor.repository.js';
import { Database } from '../../src/platform/database/database.js';
import type { PlainTx, Statement } from '../../src/platform/database/transaction.js';
import { TestApi } from '../support/api.js';
import { anEvent } from '../support/events.js';
import { until } from '../support/until.js';

/** Keeps what it consumed in a table, in the transaction that it is given; may fail after that. */
class Recorder extends EventConsumer {
  failures = 0;
  committed = 0;

  reading(): Statement {
    return { name: 'spec reads', text: 'select 1 as one', values: [], answer: () => undefined };
  }

  consume(_tx: PlainTx, orgcode: string, events: readonly RoutedEvent[]): Promise<Consumption> {
    const positions = events.map(({ position }) => position);
    const text = 'insert into consumed (orgcode, position) select $1, unnest($2::bigint[])';
    const write = { name: 'consumed', text, values: [orgcode, positions], answer: () => undefined };
    const failing = { name: 'fails', text: 'select 1 / $1::int', values: [0], answer: () => undefined };
    const writes = this.failures > 0 ? [write, failing] : [write];
    if (this.failures > 0) this.failures -= 1;
    return Promise.resolve({ writes, committed: () => (this.committed += events.length) });
  }

  batchSize(): number {
    return 500;
  }

  hasRoom(): boolean {
    return true;
  }
}

describe('the router', () => {
  let api: TestApi;
  let other: TestApi;
  let orgcode: string;
  let key: string;
  const recorder = new Recorder();

  beforeAll(async () => {
    api = await TestApi.start();
    other = await TestApi.startOn(api.database);
    await api.database.asOwner(`create table consumed (orgcode text, position bigint, n bigserial);
      grant insert, select on consumed to ipm_system; grant usage on sequence consumed_n_seq to ipm_system`);
    for (const process of [api, other]) process.app.get(EventRouter).use(recorder);
  });
  afterAll(async () => {
    await other.app.close();
    await api.close();
  });
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  /** After what there is. */
  const begin = async (): Promise<bigint> => {
    const [row] = await api.database.asOwner<{ position: string }>('select position from org_head where orgcode = $1', [
      orgcode,
    ]);
    const head = BigInt(row?.position ?? 0);
    const cursors = api.app.get(RouterCursorRepository);
    await api.app.get(Database).transaction(orgcode, (tx) => cursors.begin(tx, orgcode, head));
    return head;
  };
  const publish = async (process: TestApi, count: number): Promise<bigint[]> => {
    const events = Array.from({ length: count }, () => anEvent());
    const { body } = await process.call('/event/publish', { events }, { orgcode, key });
    return body.data.items.map(({ position }: { position: string }) => BigInt(position));
  };
  const consumed = async (): Promise<bigint[]> => {
    const rows = await api.database.asOwner<{ position: string }>(
      `select position from consumed where orgcode = $1 order by n`,
      [orgcode],
    );
    return rows.map(({ position }) => BigInt(position));
  };
  const sorted = (positions: readonly bigint[]): bigint[] => [...positions].sort((a, b) => Number(a - b));

  it('hands over every event after the beginning, each once and in order, from whichever process it came', async () => {
    await publish(api, 3);
    await begin();
    const published = (
      await Promise.all(Array.from({ length: 40 }, (_, i) => publish(i % 2 === 0 ? api : other, 1 + (i % 7))))
    ).flat();
    await until(async () => (await consumed()).length >= published.length);
    expect(await consumed()).toEqual(sorted(published));
  });

  it('hands over again what a failed consumer has undone, and nothing twice', async () => {
    await begin();
    recorder.failures = 3;
    const published = await publish(api, 10);
    await until(async () => (await consumed()).length >= published.length);
    expect(await consumed()).toEqual(published);
  });

  it('does not route an organisation that nobody consumes', async () => {
    await publish(api, 2);
    expect(await api.app.get(EventRouter).route(orgcode)).toBe(false);
    expect(await consumed()).toEqual([]);
  });

  it('finds by itself what no ring told of', async () => {
    await begin();
    await api.database.asOwner(
      `with org as materialized (select set_config('ipm.orgcode', $1, false))
       select a.* from org, ipm_append($1, null, '1 day', array['silent'], array[now()], array['s'], array['a'], array[null], array[null], array['{}']) a`,
      [orgcode],
    );
    await until(async () => (await consumed()).length === 1);
  });

  it('begins exactly: what is published while it begins is either before it or handed over', async () => {
    const publishing = Promise.all(Array.from({ length: 30 }, () => publish(other, 1)));
    const head = await begin();
    const published = (await publishing).flat();
    const after = sorted(published.filter((position) => position > head));
    await until(async () => (await consumed()).length >= after.length);
    expect(await consumed()).toEqual(after);
  });

  it('passes over what retention took before it was routed', async () => {
    const published = await publish(api, 3);
    await api.database.asOwner('delete from event where orgcode = $1', [orgcode]);
    await api.database.asOwner('insert into router_cursor (orgcode, position) values ($1, 0)', [orgcode]);
    const cursor = (): Promise<{ position: string }[]> =>
      api.database.asOwner('select position::text from router_cursor where orgcode = $1', [orgcode]);
    await until(async () => BigInt((await cursor())[0]?.position ?? 0) >= (published.at(-1) ?? 0n));
    expect(await consumed()).toEqual([]);
  });
});
