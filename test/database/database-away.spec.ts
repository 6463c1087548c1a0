import { setTimeout as sleep } from 'node:timers/promises';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { anEvent } from '../support/events.js';
import { TcpProxy } from '../support/tcp-proxy.js';

describe('a process whose Postgres goes away', () => {
  let store: TestDatabase;
  let line: TcpProxy;
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => {
    store = await testDatabase();
    line = await TcpProxy.to(store.url);
    api = await TestApi.startOn({ ...store, url: line.urlOf(store.url) });
    ({ orgcode, key } = await api.anOwner());
  });
  afterEach(() => (line.mode = 'pass'));
  afterAll(async () => {
    await api.app.close();
    await line.close();
    await store.drop();
  });

  const read = (): Promise<ApiAnswer> => api.call('/access/key/list', {}, { orgcode, key });
  const write = (): Promise<ApiAnswer> =>
    api.call('/access/session/open', { ...writeGrounds(orgcode), actor: 'a', roles: ['auditor'] }, { orgcode, key });
  const ready = async (): Promise<number> => (await api.app.inject({ method: 'GET', url: '/health/ready' })).statusCode;
  const sessions = async (): Promise<number> =>
    (await store.asOwner('select 1 from session where orgcode = $1', [orgcode])).length;
  const expectAway = ({ status, headers, body }: ApiAnswer): void => {
    expect([status, body.error?.error_code, body.error?.retryable, headers['retry-after']]).toEqual([
      503,
      'database_unavailable',
      true,
      '1',
    ]);
    expect(JSON.stringify(body)).not.toMatch(/ECONN|127\.0\.0\.1|prisma|terminated/i);
  };

  it('answers 503 and says so on /health/ready, and serves again without a restart when it is back', async () => {
    expect([(await read()).status, (await write()).status, await ready()]).toEqual([200, 200, 200]);
    line.takeAway();
    for (const answer of await Promise.all([read(), write(), read(), write()])) expectAway(answer);
    expect(await ready()).toBe(503);
    line.mode = 'pass';
    expect([(await read()).status, (await write()).status, await ready()]).toEqual([200, 200, 200]);
    expect(await sessions()).toBe(2);
  });

  it('loses no more than the calls of the moment when all connections are cut', async () => {
    await Promise.all(Array.from({ length: 10 }, () => read()));
    line.cut();
    const after = await Promise.all(Array.from({ length: 20 }, () => read()));
    expect(after.map(({ status }) => status).filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect((await read()).status).toBe(200);
  });

  it('outlives connections that break while feeds are read and events published', async () => {
    const feed = (): Promise<ApiAnswer> => api.call('/cdc/list', {}, { orgcode, key });
    const publish = (): Promise<ApiAnswer> => api.call('/event/publish', { events: [anEvent()] }, { orgcode, key });
    expect((await feed()).status).toBe(200);
    line.mode = 'hang';
    const calls = [feed(), feed(), publish(), write()];
    await sleep(100);
    line.cut();
    line.mode = 'pass';
    for (const answer of await Promise.all(calls)) expect([200, 503]).toContain(answer.status);
    expect([(await feed()).status, (await publish()).status, await ready()]).toEqual([200, 200, 200]);
  });

  it('answers 503 in bounded time when Postgres takes connections and says nothing', async () => {
    line.mode = 'hang';
    line.cut();
    const begun = Date.now();
    expectAway(await read());
    expect(Date.now() - begun).toBeLessThan(8_000);
    line.cut();
    line.mode = 'pass';
    expect((await read()).status).toBe(200);
  });

  it('lets an unknown credential not in while nobody can be asked about it', async () => {
    line.takeAway();
    const { status, body } = await api.call(
      '/access/key/list',
      {},
      { orgcode, key: 'a key of forty characters that nobody knows' },
    );
    expect([status, body.error?.error_code]).toEqual([503, 'database_unavailable']);
  });
});
