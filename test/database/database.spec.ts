import { Configuration, readConfiguration } from '../../src/platform/config/configuration.js';
import { Database } from '../../src/platform/database/database.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { AppError } from '../../src/platform/errors/app-error.js';
import { TestApi, writeGrounds } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { productEnvironment } from '../support/environment.js';
import { HeldLock, waiterOf } from '../support/held-lock.js';

const ORGS = ['org_a', 'org_b', 'org_c', 'org_d', 'org_e'];
const orgsSeen = Prisma.sql`select orgcode from organisation order by orgcode`;
const setting = Prisma.sql`select ipm_orgcode() as orgcode, pg_backend_pid() as pid`;

describe('Database', () => {
  let store: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    store = await testDatabase();
    await store.asOwner(`insert into organisation (orgcode) select unnest($1::text[])`, [ORGS]);
  });
  beforeEach(() => (database = new Database(configuration('2'))));
  afterEach(() => database.onApplicationShutdown());
  afterAll(() => store.drop());

  const configuration = (poolSize: string): Configuration =>
    readConfiguration(productEnvironment(store.url, { DATABASE_POOL_SIZE: poolSize }));
  const tagOf = (error: unknown): unknown => (error instanceof AppError ? error.failure.tag : error);

  const endWhoSleeps = async (): Promise<void> => {
    const sql = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
    for (let ended = 0; ended === 0;) ended = (await store.asOwner(sql)).length;
  };

  describe('keeps organisations apart on shared connections', () => {
    it('whatever is interleaved on two of them: each sees its own rows alone', async () => {
      const seen = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const orgcode = ORGS[i % ORGS.length]!;
          const rows =
            i % 3 === 0
              ? await database.transaction(orgcode, (tx) => tx.$queryRaw<{ orgcode: string }[]>(orgsSeen))
              : await database.rows<{ orgcode: string }>(orgcode, orgsSeen);
          return { asked: orgcode, got: rows.map((row) => row.orgcode) };
        }),
      );
      for (const { asked, got } of seen) expect(got).toEqual([asked]);
    });

    it('also when some of them fail in the middle', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 200 }, async (_, i) => {
          const orgcode = ORGS[i % ORGS.length]!;
          if (i % 4 === 1) return database.rows(orgcode, Prisma.sql`select 1/0 from organisation`);
          if (i % 4 === 3) return database.transaction(orgcode, () => Promise.reject(new Error('changed my mind')));
          expect(await database.rows(orgcode, orgsSeen)).toEqual([{ orgcode }]);
          return expect(await database.withoutOrganisation('select orgcode from organisation')).toEqual([]);
        }),
      );
      const failed = outcomes
        .filter(({ status }) => status === 'rejected')
        .map((outcome) => String((outcome as PromiseRejectedResult).reason));
      expect(failed).toHaveLength(100);
      for (const reason of failed) expect(reason).toMatch(/division by zero|changed my mind/);
    });

    it('and leaves no setting behind for whoever gets the connection next', async () => {
      for (const orgcode of ORGS) {
        await database.rows(orgcode, orgsSeen);
        await database.transaction(orgcode, (tx) => tx.$queryRaw(orgsSeen));
        const next = await Promise.all(
          [1, 2].map(() =>
            database.withoutOrganisation<{ orgcode: string | null }>(
              'select ipm_orgcode() as orgcode, pg_sleep(0.01)::text',
            ),
          ),
        );
        expect(next.flat().map((row) => row.orgcode)).toEqual([null, null]);
      }
    });

    it.each([['rows'], ['transaction']])(
      'and does not use a connection again that broke in the middle of %s',
      async (way) => {
        const broken = Prisma.sql`select pg_sleep(20)::text`;
        const run =
          way === 'rows' ? database.rows('org_a', broken) : database.transaction('org_a', (tx) => tx.$queryRaw(broken));
        const outcome = run.catch(tagOf);
        await endWhoSleeps();
        expect(await outcome).toBe('database_unavailable');
        for (let i = 0; i < 4; i += 1) {
          const [row] = await database.rows<{ orgcode: string }>('org_b', setting);
          expect(row?.orgcode).toBe('org_b');
        }
        expect(await database.withoutOrganisation('select orgcode from organisation')).toEqual([]);
      },
    );

    it('and does not use a connection again whose statement failed', async () => {
      const one = new Database(configuration('2'));
      const [before] = await one.rows<{ pid: number }>('org_a', setting);
      await expect(one.rows('org_a', Prisma.sql`select 1/0`)).rejects.toThrow('division by zero');
      const [after] = await one.rows<{ pid: number }>('org_a', setting);
      await one.onApplicationShutdown();
      expect(after!.pid).not.toBe(before!.pid);
    });

    it.each(['', 'a b', "x'; drop table organisation; --", 'x'.repeat(65), "org_a' || '", 'org_a\n'])(
      'and sees nothing as %j, which is no organisation',
      async (orgcode) => {
        expect(await database.rows(orgcode, orgsSeen)).toEqual([]);
        expect(await database.transaction(orgcode, (tx) => tx.$queryRaw(orgsSeen))).toEqual([]);
        expect(await store.asOwner('select 1 from organisation')).toHaveLength(ORGS.length);
      },
    );

    it('and writes nothing in rows, which only read', async () => {
      const write = Prisma.sql`update organisation set caption = 'x' returning orgcode`;
      await expect(database.rows('org_a', write)).rejects.toMatchObject({ code: '25006' });
    });
  });

  describe('when others are in the way', () => {
    it('runs a transaction again that lost a deadlock', async () => {
      await store.asOwner(
        `insert into api_key (orgcode, key_id, verifier, fingerprint, created_by) values ('org_a', 'k1', '1', 'f', 's'), ('org_a', 'k2', '2', 'f', 's')`,
      );
      const runs = { forth: 0, back: 0 };
      const holding = new Set<string>();
      let bothHaveOne: () => void = () => undefined;
      const met = new Promise<void>((resolve) => (bothHaveOne = resolve));
      const crossing = (name: 'forth' | 'back', keys: [string, string]): Promise<unknown> =>
        database.transaction('org_a', async (tx) => {
          runs[name] += 1;
          await tx.$executeRaw`update api_key set caption = ${name} where key_id = ${keys[0]}`;
          if (holding.add(name).size === 2) bothHaveOne();
          await met;
          await tx.$executeRaw`update api_key set caption = ${name} where key_id = ${keys[1]}`;
        });
      await Promise.all([crossing('forth', ['k1', 'k2']), crossing('back', ['k2', 'k1'])]);
      expect(runs.forth + runs.back).toBe(3);
      const captions = await store.asOwner<{ caption: string }>(
        `select distinct caption from api_key where orgcode = 'org_a'`,
      );
      expect(captions).toHaveLength(1);
    });

    it('answers database_busy when a lock is held for too long, and gives the connection back', async () => {
      const lock = await HeldLock.take(store, `select 1 from organisation where orgcode = 'org_a' for update`);
      const update = (): Promise<unknown> =>
        database.transaction('org_a', (tx) => tx.$executeRaw`update organisation set caption = 'x'`);
      const outcomes = await Promise.all([update(), update()].map((run) => run.catch(tagOf)));
      expect(outcomes).toEqual(['database_busy', 'database_busy']);
      await lock.release();
      expect(await update()).toBe(1);
    });

    it('answers database_unavailable when its connection is ended while it waits, and serves again', async () => {
      const lock = await HeldLock.take(store, `select 1 from organisation where orgcode = 'org_b' for update`);
      const update = (): Promise<unknown> =>
        database.transaction('org_b', (tx) => tx.$executeRaw`update organisation set caption = 'y'`);
      const outcome = update().catch(tagOf);
      await store.asOwner('select pg_terminate_backend($1)', [await waiterOf(store)]);
      expect(await outcome).toBe('database_unavailable');
      await lock.release();
      expect(await update()).toBe(1);
    });
  });

  it('bounds every connection in time', async () => {
    const [row] = await database.withoutOrganisation(
      `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle, current_setting('timezone') as zone`,
    );
    expect(row).toEqual({ statement: '10s', lock: '2s', idle: '15s', zone: 'UTC' });
  });

  it('ends all its connections at shutdown', async () => {
    const ending = new Database(configuration('4'));
    await Promise.all(ORGS.map((orgcode) => ending.transaction(orgcode, (tx) => tx.$queryRaw(orgsSeen))));
    await ending.acrossOrganisations('housekeeping', (tx) => tx.$queryRaw(orgsSeen));
    await database.onApplicationShutdown();
    await ending.onApplicationShutdown();
    const open = await store.asOwner<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and application_name like 'ipm_%'`,
    );
    expect(open).toEqual([]);
    database = new Database(configuration('2'));
  });
});

describe('a request whose row somebody else holds', () => {
  it('is answered with a retryable 503 database_busy and changes nothing', async () => {
    const api = await TestApi.start();
    const { orgcode, key } = await api.anOwner();
    const lock = await HeldLock.take(api.database, 'select 1 from organisation where orgcode = $1 for update', [
      orgcode,
    ]);
    const set = (): ReturnType<TestApi['call']> =>
      api.call('/access/org/set', { ...writeGrounds(orgcode), caption: 'x', expected_revision: '1' }, { orgcode, key });
    const { status, headers, body } = await set();
    expect([status, body.error?.error_code, body.error?.retryable, headers['retry-after']]).toEqual([
      503,
      'database_busy',
      true,
      '1',
    ]);
    expect(JSON.stringify(body)).not.toMatch(/lock timeout|organisation"|prisma|select/i);
    await lock.release();
    expect((await set()).body.data.org).toMatchObject({ caption: 'x', revision: '2' });
    await api.close();
  });
});
