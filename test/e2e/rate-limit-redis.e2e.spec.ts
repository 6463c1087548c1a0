import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from '../../src/platform/redis/redis.js';
import { testRedisUrl } from '../support/environment.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { TestApi } from '../support/api.js';

const PER_MINUTE = 5;
const CAPACITY = 2 * PER_MINUTE;
/** The product gives Redis half a second and then leaves it alone for two. */
const WORST_CALL_MS = 1_500;
const BACK_WITHIN_MS = 8_000;

describe('rate limits while Redis is in trouble', () => {
  let proxy: TcpProxy;
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => {
    proxy = await TcpProxy.to(testRedisUrl());
    api = await TestApi.start({ REDIS_URL: proxy.urlOf(testRedisUrl()), RATE_LIMIT_KEY_PER_MIN: String(PER_MINUTE) });
  });
  afterAll(async () => {
    await api.close();
    await proxy.close();
  });
  beforeEach(async () => {
    ({ orgcode, key } = await api.anOwner());
    proxy.mode = 'pass';
    await untilShared();
  });

  async function ask(): Promise<{ status: number; ms: number; policy: unknown }> {
    const before = performance.now();
    const { status, headers } = await api.call('/pagination/get', {}, { orgcode, key });
    return { status, ms: performance.now() - before, policy: headers['ratelimit-policy'] };
  }

  async function askMany(count: number): Promise<number[]> {
    const answers = await Promise.all(Array.from({ length: count }, ask));
    for (const { ms } of answers) expect(ms).toBeLessThan(WORST_CALL_MS);
    return answers.map(({ status }) => status);
  }

  const count = (statuses: number[], wanted: number): number => statuses.filter((status) => status === wanted).length;

  /** Redis holds a bucket of the organisation again, so it is asked and not the process alone. */
  async function untilShared(): Promise<void> {
    const { client } = api.app.get(Redis);
    const until = Date.now() + BACK_WITHIN_MS;
    while (Date.now() < until) {
      const org = await api.anOwner();
      await api.call('/pagination/get', {}, { orgcode: org.orgcode, key: org.key });
      if ((await client.exists(`ipm:rate:${org.orgcode}:key`).catch(() => 0)) === 1) return;
      await sleep(100);
    }
    throw new Error('Redis was not asked again');
  }

  it.each([
    ['goes away', (): void => proxy.takeAway()],
    ['hangs', (): void => void (proxy.mode = 'hang')],
  ])(
    'are kept per process when it %s in the middle, without an error and without much delay',
    async (_name, disturb) => {
      expect(count(await askMany(2), 200)).toBe(2);
      disturb();
      const statuses = await askMany(CAPACITY + 10);
      expect(count(statuses, 200)).toBeGreaterThanOrEqual(CAPACITY - 2);
      expect(count(statuses, 200)).toBeLessThanOrEqual(CAPACITY + 1);
      expect(count(statuses, 200) + count(statuses, 429)).toBe(statuses.length);
      const next = await ask();
      expect(next).toMatchObject({ status: 429, policy: `"key";q=${PER_MINUTE};w=60` });
      // Left alone after its failure: nobody waits for it again at once.
      expect(next.ms).toBeLessThan(300);
      proxy.mode = 'pass';
      if (_name === 'hangs') proxy.cut();
      await untilShared();
    },
  );

  it('hold for failed logins too', async () => {
    proxy.takeAway();
    for (let i = 0; i < 5; i += 1) {
      expect((await api.call('/pagination/get', {}, { orgcode, key: 'wrong' })).status).toBe(401);
    }
  });

  it('are shared again with other processes when it is back', async () => {
    proxy.takeAway();
    await askMany(1);
    proxy.mode = 'pass';
    await untilShared();
    const other = await TestApi.startOn(api.database, { RATE_LIMIT_KEY_PER_MIN: String(PER_MINUTE) });
    const org = await api.anOwner();
    const callIn = (where: TestApi): Promise<number> =>
      where.call('/pagination/get', {}, org).then(({ status }) => status);
    const here = await Promise.all(Array.from({ length: CAPACITY }, () => callIn(api)));
    expect(count(here, 200)).toBe(CAPACITY);
    expect(await callIn(other)).toBe(429);
    await other.app.close();
  });

  it('do not keep a process from starting and serving without any Redis', async () => {
    const nowhere = await TestApi.startOn(api.database, {
      REDIS_URL: 'redis://127.0.0.1:9',
      RATE_LIMIT_KEY_PER_MIN: String(PER_MINUTE),
    });
    const org = await nowhere.anOwner();
    const statuses = await Promise.all(
      Array.from({ length: CAPACITY + 3 }, () => nowhere.call('/pagination/get', {}, org).then(({ status }) => status)),
    );
    expect(count(statuses, 200)).toBe(CAPACITY);
    expect(count(statuses, 429)).toBe(3);
    await nowhere.app.close();
  });
});
