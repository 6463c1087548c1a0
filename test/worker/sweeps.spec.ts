import { readFileSync } from 'node:fs';
import { SchedulerRegistry } from '@nestjs/schedule';
import { SessionSweep } from '../../src/access/session.sweep.js';
import { IdempotencySweep } from '../../src/platform/idempotency/idempotency.sweep.js';
import { Sweeps } from '../../src/platform/schedule/sweeps.js';
import { TestApi, writeGrounds } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { HeldLock } from '../support/held-lock.js';
import { sourceFiles } from '../support/source-files.js';
import { until } from '../support/until.js';

describe('sweeps', () => {
  let database: TestDatabase;
  let api: TestApi;
  let worker: TestApi;
  let other: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => {
    database = await testDatabase();
    [api, worker, other] = await Promise.all(
      ['api', 'worker', 'worker'].map((IPM_ROLE) => TestApi.startOn(database, { IPM_ROLE })) as [
        Promise<TestApi>,
        Promise<TestApi>,
        Promise<TestApi>,
      ],
    );
    ({ orgcode, key } = await api.anOwner());
  });
  afterAll(async () => {
    await Promise.all([api, worker, other].map(({ app }) => app.close()));
    await database.drop();
  });

  const sweepOf = <T>(of: TestApi, sweep: new (...collaborators: never[]) => T): T =>
    of.app.get(sweep, { strict: false });
  const keys = async (): Promise<string[]> =>
    (await database.asOwner<{ key: string }>('select key from idempotency_key order by key')).map((row) => row.key);

  it('take expired idempotency keys away and leave the others, of every organisation', async () => {
    await database.asOwner(
      `insert into idempotency_key (orgcode, route, key, request_hash, credential, expires_at)
       select o, 'r', k || '-' || o, '', 'c', now() + t from unnest(array['a', 'b']) o,
         (values ('expired', interval '-1 second'), ('long-expired', interval '-1 year'), ('running', interval '1 minute')) v(k, t)`,
    );
    expect(await sweepOf(worker, IdempotencySweep).run()).toBe(4);
    expect(await keys()).toEqual(['running-a', 'running-b']);
    expect(await sweepOf(worker, IdempotencySweep).run()).toBe(0);
  });

  it('take away a key 24 hours after its answer, and not before', async () => {
    const request = { ...writeGrounds(orgcode), actor: 'a', roles: ['auditor'], idempotency_key: 'of-a-call' };
    expect((await api.call('/access/session/open', request, { orgcode, key })).status).toBe(200);
    const [row] = await database.asOwner<{ hours: number }>(
      `select extract(epoch from expires_at - now()) / 3600 as hours from idempotency_key where key = 'of-a-call'`,
    );
    expect(Number(row!.hours)).toBeCloseTo(24, 1);
    await sweepOf(worker, IdempotencySweep).run();
    expect(await keys()).toContain('of-a-call');
    await database.asOwner(`update idempotency_key set expires_at = now() - interval '1 ms' where key = 'of-a-call'`);
    await sweepOf(worker, IdempotencySweep).run();
    expect(await keys()).not.toContain('of-a-call');
  });

  it('pass an expired key that a caller is just taking over', async () => {
    await database.asOwner(
      `insert into idempotency_key (orgcode, route, key, request_hash, credential, expires_at) values ('a', 'r', 'held', '', 'c', now() - interval '1 day')`,
    );
    const lock = await HeldLock.take(
      database,
      `update idempotency_key set expires_at = now() + interval '1 day' where key = 'held'`,
    );
    const begun = Date.now();
    expect(await sweepOf(worker, IdempotencySweep).run()).toBe(0);
    expect(Date.now() - begun).toBeLessThan(1_500); // without waiting for it
    await lock.release();
    expect(await sweepOf(worker, IdempotencySweep).run()).toBe(1);
  });

  it('take away sessions that ended a month ago, and leave the running and the freshly ended ones', async () => {
    const session = async (actor: string, ended: string): Promise<void> => {
      await api.call('/access/session/open', { ...writeGrounds(orgcode), actor, roles: ['auditor'] }, { orgcode, key });
      await database.asOwner(`update session set expires_at = now() - $2::interval where actor = $1`, [actor, ended]);
    };
    await session('long ended', '31 days');
    await session('just ended', '29 days');
    await session('running', '-1 hour');
    expect(await sweepOf(worker, SessionSweep).run()).toBe(1);
    const left = await database.asOwner<{ actor: string }>(
      `select actor from session where actor like '%ended' or actor = 'running' order by 1`,
    );
    expect(left.map(({ actor }) => actor)).toEqual(['just ended', 'running']);
  });

  it('are done by one of two workers that come round at once', async () => {
    let bothTried: () => void = () => undefined;
    const othersTurn = new Promise<void>((resolve) => (bothTried = resolve));
    let runs = 0;
    const work = async (): Promise<string> => {
      runs += 1;
      await othersTurn;
      return 'done';
    };
    const sweeps = [worker, worker, other, api].map((of) => sweepOf(of, Sweeps));
    const outcomes = sweeps.map((of) => of.alone('the same', work));
    const passed: unknown[] = [];
    for (const outcome of outcomes) void outcome.then((answer) => passed.push(answer));
    await until(() => passed.length === 3); // all but the one that is at it
    expect(passed).toEqual([undefined, undefined, undefined]);
    const another = await sweeps[0]!.alone('another', async () => 'done too');
    bothTried();
    expect((await Promise.all(outcomes)).filter((answer) => answer === 'done')).toHaveLength(1);
    expect([runs, another]).toEqual([1, 'done too']);
    expect(await sweepOf(other, Sweeps).alone('the same', async () => 'again')).toBe('again');
  });

  it('delete each expired row once when two workers sweep', async () => {
    await database.asOwner(
      `insert into idempotency_key (orgcode, route, key, request_hash, credential, expires_at) select 'a', 'r', 'n' || n, '', 'c', now() - interval '1 day' from generate_series(1, 500) n`,
    );
    const counts = await Promise.all([worker, other].map((of) => sweepOf(of, IdempotencySweep).run()));
    expect(counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(500);
  });

  it('that fail come round again and end nothing else', async () => {
    const failing = sweepOf(worker, Sweeps).alone('failing', () => Promise.reject(new Error('out of luck')));
    expect(await failing).toBeUndefined();
    expect(await sweepOf(worker, Sweeps).alone('failing', async () => 'better')).toBe('better');
  });

  it('keep to the bound of rows a round', async () => {
    await database.asOwner(
      `insert into idempotency_key (orgcode, route, key, request_hash, credential, expires_at) select 'a', 'r', 'm' || n, '', 'c', now() - interval '1 day' from generate_series(1, 5100) n`,
    );
    expect([await sweepOf(worker, IdempotencySweep).run(), await sweepOf(worker, IdempotencySweep).run()]).toEqual([
      5_000, 100,
    ]);
  });

  it.each(['worker', 'all'])('have their clocks in role %s', async (IPM_ROLE) => {
    const sources = sourceFiles('.sweep.ts').map((file) => readFileSync(file, 'utf8'));
    const declared = sources.join('\n').match(/^ {2}@Interval\(/gm) ?? [];
    const sweeping = await TestApi.startOn(database, { IPM_ROLE });
    const wound = sweeping.app.get(SchedulerRegistry, { strict: false }).getIntervals();
    await sweeping.app.close();
    expect(declared.length).toBeGreaterThan(5);
    expect(wound).toHaveLength(declared.length);
    expect(sweeping.app.get(SchedulerRegistry, { strict: false }).getIntervals()).toHaveLength(0);
  });

  it('have none in role api', () => {
    expect(() => api.app.get(SchedulerRegistry, { strict: false })).toThrow(/does not exist/);
  });
});
