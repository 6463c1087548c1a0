import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Arrivals } from '../../src/cdc/arrivals.service.js';
import { GracefulStop } from '../../src/platform/http/graceful-stop.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { testRedisUrl } from '../support/environment.js';
import { anEvent } from '../support/events.js';
import type { Organisation } from '../support/event-types.js';
import { readFeed } from '../support/feed.js';
import { TcpProxy } from '../support/tcp-proxy.js';

jest.setTimeout(60_000);

interface Waited {
  answer: ApiAnswer;
  atMs: number;
}

describe('cdc/list with wait_ms', () => {
  let api: TestApi;
  let org: Organisation;
  let next_token: object;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => {
    const orgcode = await api.anOrg();
    org = { orgcode, key: await api.aKey(orgcode, 'integration_service') };
    ({ next_token } = await readFeed(api, org));
  });
  afterAll(() => api.close());

  const wait = async (wait_ms: number, request: object = {}, of = api): Promise<Waited> => {
    const answer = await of.call('/cdc/list', { next_token, ...request, wait_ms }, org);
    return { answer, atMs: Date.now() };
  };
  const publish = async (event: object = anEvent(), of = api): Promise<number> => {
    const { status } = await of.call('/event/publish', { events: [event] }, org);
    expect(status).toBe(200);
    return Date.now();
  };
  const settled = (): Promise<void> => sleep(150); // until who asked waits

  it('answers what is there already without waiting', async () => {
    const event = anEvent();
    const publishedMs = await publish(event);
    const { answer, atMs } = await wait(20_000);
    expect(answer.body.data).toMatchObject({ items: [{ event_id: event.event_id }], has_more: false });
    expect(atMs - publishedMs).toBeLessThan(1_000);
  });

  it('answers as soon as something arrives', async () => {
    for (let round = 0; round < 5; round += 1) {
      const waiting = wait(20_000);
      await settled();
      const event = anEvent();
      const publishedMs = await publish(event);
      const { answer, atMs } = await waiting;
      expect(answer.body.data).toMatchObject({ items: [{ event_id: event.event_id }], has_more: false });
      expect(atMs - publishedMs).toBeLessThan(500);
      ({ next_token } = answer.body.data);
    }
  });

  it('answers as soon as something arrives by way of another process', async () => {
    const other = await TestApi.startOn(api.database);
    try {
      for (let round = 0; round < 6; round += 1) {
        const waiting = wait(20_000);
        await settled();
        const publishedMs = await publish(anEvent(), other);
        const { answer, atMs } = await waiting;
        expect(answer.body.data.items).toHaveLength(1);
        expect(atMs - publishedMs).toBeLessThan(500);
        ({ next_token } = answer.body.data);
      }
    } finally {
      await other.app.close();
    }
  });

  it('answers within two seconds where Redis is out of reach', async () => {
    const redis = await TcpProxy.to(testRedisUrl());
    redis.takeAway();
    const deaf = await TestApi.startOn(api.database, { REDIS_URL: redis.urlOf(testRedisUrl()) });
    try {
      const waiting = wait(20_000, {}, deaf);
      await settled();
      const publishedMs = await publish(anEvent(), api);
      const { answer, atMs } = await waiting;
      expect(answer.body.data.items).toHaveLength(1);
      expect(atMs - publishedMs).toBeLessThan(2_000);
    } finally {
      await deaf.app.close();
      await redis.close();
    }
  });

  it('answers empty when its time is over, with a token that goes on', async () => {
    const begunMs = Date.now();
    const { answer, atMs } = await wait(700);
    expect(answer.body.data).toEqual({ items: [], next_token: { token: expect.any(String) }, has_more: false });
    expect(atMs - begunMs).toBeGreaterThanOrEqual(695);
    expect(atMs - begunMs).toBeLessThan(1_500);
    await publish();
    expect((await wait(0, { next_token: answer.body.data.next_token })).answer.body.data.items).toHaveLength(1);
  });

  it('waits no longer, however often it hears of what does not pass', async () => {
    const arrivals = api.app.get(Arrivals, { strict: false });
    let isOver = false;
    const ringing = (async () => {
      while (!isOver) {
        arrivals.ringHere(org.orgcode); // as when writers commit faster than a page is read
        await setImmediate();
      }
    })();
    const begunMs = Date.now();
    const { answer, atMs } = await Promise.race([
      wait(1_000, { service: 'quiet', next_token: undefined }),
      sleep(4_000).then(() => ({ answer: undefined, atMs: Infinity })),
    ]);
    isOver = true;
    await ringing;
    expect(answer?.body.data.items).toEqual([]);
    expect(atMs - begunMs).toBeLessThan(2_000);
  });

  it.each([
    [20_001, 'too_large'],
    [-1, 'too_small'],
    ['1000', 'not_an_integer'],
    [0.5, 'not_an_integer'],
  ])('is refused with 400 where it is %p', async (wait_ms, tag) => {
    const { status, body } = await api.call('/cdc/list', { wait_ms }, org);
    expect([status, body.error?.details]).toEqual([400, { fields: [{ path: 'wait_ms', tag }] }]);
  });

  it('is refused at once with a token of other filters', async () => {
    const { answer } = await wait(20_000, { service: 'pos' });
    expect([answer.status, answer.body.error?.error_code]).toEqual([400, 'next_token_invalid']);
  });

  it.each([
    ['service', { service: 'till' }, { service: 'till' }],
    ['channel_code', { channel_code: '%' }, { channel_code: '%' }],
    ['logical_guid', { logical_guid: 'store-1' }, { logical_guid: 'store-1' }],
    ['time', { to_utc: '2026-01-02T00:00:00Z' }, { occurred_at: '2026-01-01T00:00:00Z' }],
  ])('waits for what passes its filter of %s, and tells of nothing else', async (_field, filter, passing) => {
    ({ next_token } = await readFeed(api, org, filter));
    const waiting = wait(20_000, filter);
    let isOver = false;
    void waiting.then(() => (isOver = true));
    await settled();
    await publish();
    await publish(anEvent({ channel_code: 'x', logical_guid: 'store-2' }));
    await settled();
    expect(isOver).toBe(false);
    const event = anEvent(passing);
    const publishedMs = await publish(event);
    const { answer, atMs } = await waiting;
    expect(answer.body.data.items).toMatchObject([{ event_id: event.event_id }]);
    expect(atMs - publishedMs).toBeLessThan(500);
  });

  it('does not hear another organisation', async () => {
    const waiting = wait(700);
    const orgcode = await api.anOrg();
    const key = await api.aKey(orgcode, 'integration_service');
    await api.call('/event/publish', { events: [anEvent()] }, { orgcode, key });
    expect((await waiting).answer.body.data.items).toEqual([]);
  });

  it('takes no connection of the database while it waits', async () => {
    const small = await TestApi.startOn(api.database, { DATABASE_POOL_SIZE: '2' });
    try {
      const waiting = Array.from({ length: 40 }, () => wait(20_000, {}, small));
      await settled();
      const begunMs = Date.now();
      expect((await small.call('/cdc/list', {}, org)).status).toBe(200);
      expect(Date.now() - begunMs).toBeLessThan(1_000);
      await publish(anEvent(), small);
      for (const { answer } of await Promise.all(waiting)) expect(answer.body.data.items).toHaveLength(1);
    } finally {
      await small.app.close();
    }
  });

  it('ends at once when the process stops, with what it has seen', async () => {
    const stopping = await TestApi.startOn(api.database);
    const waiting = Array.from({ length: 3 }, () => wait(20_000, {}, stopping));
    await settled();
    const begunMs = Date.now();
    await stopping.app.get(GracefulStop).drain(stopping.app.getHttpAdapter().getInstance(), 5);
    for (const { answer, atMs } of await Promise.all(waiting)) {
      expect([answer.status, answer.body.data.items]).toEqual([200, []]);
      expect(atMs - begunMs).toBeLessThan(500);
    }
    const late = await wait(20_000, {}, stopping);
    expect(late.atMs - begunMs).toBeLessThan(2_000);
    await stopping.app.close();
  });

  it('is answered with 429 to one reader too many, until one of the others is through', async () => {
    const waiting = Array.from({ length: 1_000 }, () => wait(20_000));
    let refused = await wait(1);
    while (refused.answer.status === 200) refused = await wait(1); // until all of them wait
    expect([refused.answer.status, refused.answer.body.error?.error_code]).toEqual([429, 'too_many_readers']);
    expect(refused.answer.body.error).toMatchObject({ retryable: true, details: { max: 1_000 } });
    expect(refused.answer.headers['retry-after']).toBe('1');
    expect((await api.call('/cdc/list', {}, org)).status).toBe(200); // without waiting
    await publish();
    for (const { answer } of await Promise.all(waiting)) expect(answer.body.data.items).toHaveLength(1);
    expect((await wait(1)).answer.status).toBe(200);
  });
});
