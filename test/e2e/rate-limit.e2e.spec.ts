import { setTimeout as sleep } from 'node:timers/promises';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

/** So slow that no token comes back while a test runs. */
const PER_MINUTE = 3;
const BURST = 2 * PER_MINUTE;

describe('rate limits', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(
    async () =>
      (api = await TestApi.start({ RATE_LIMIT_KEY_PER_MIN: String(PER_MINUTE), RATE_LIMIT_SESSION_PER_MIN: '2' })),
  );
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  function ask(headers: Record<string, string> = { 'x-api-key': key }, org = orgcode): Promise<ApiAnswer> {
    return api.call('/pagination/get', {}, { orgcode: org, headers });
  }

  async function statusesOf(count: number, headers?: Record<string, string>, org?: string): Promise<number[]> {
    const statuses = [];
    for (let i = 0; i < count; i += 1) statuses.push((await ask(headers, org)).status);
    return statuses;
  }

  it('let a burst of twice the rate pass, and then refuse', async () => {
    expect(await statusesOf(BURST + 2)).toEqual([...Array<number>(BURST).fill(200), 429, 429]);
  });

  it('say in headers what is left, and when to come back', async () => {
    const first = await ask();
    expect(first.headers['ratelimit-policy']).toBe(`"key";q=${PER_MINUTE};w=60`);
    expect(first.headers.ratelimit).toMatch(new RegExp(`^"key";r=${BURST - 1};t=\\d+$`));
    expect(first.headers).not.toHaveProperty('retry-after');
    await statusesOf(BURST - 1);
    const refused = await ask();
    expect(refused).toMatchObject({
      status: 429,
      body: {
        error: {
          error_code: 'rate_limited',
          retryable: true,
          major: { tag: 'rate_limited' },
          details: { limit_class: 'key' },
        },
      },
    });
    const waitSeconds = Number(refused.headers['retry-after']);
    expect(waitSeconds).toBeGreaterThanOrEqual(1);
    expect(waitSeconds).toBeLessThanOrEqual(60 / PER_MINUTE);
    expect(refused.headers.ratelimit).toBe(`"key";r=0;t=${waitSeconds}`);
  });

  it('count calls of all keys of an organisation together', async () => {
    const second = await api.aKey(orgcode, 'integration_view');
    await statusesOf(BURST - 1);
    expect((await ask({ 'x-api-key': second })).status).toBe(200);
    expect((await ask({ 'x-api-key': second })).status).toBe(429);
    expect((await ask()).status).toBe(429);
  });

  it('of one organisation are not those of another', async () => {
    await statusesOf(BURST + 1);
    const other = await api.anOwner();
    expect(await statusesOf(1, { 'x-api-key': other.key }, other.orgcode)).toEqual([200]);
  });

  it('count keys and sessions apart', async () => {
    const open = { ...writeGrounds(orgcode), actor: 'ada', roles: ['integration_view'] };
    const { body } = await api.call('/access/session/open', open, { orgcode, key });
    await statusesOf(BURST);
    expect((await ask()).status).toBe(429);
    const session = { 'x-session-guid': body.data.session_guid as string };
    const first = await ask(session);
    expect(first.status).toBe(200);
    expect(first.headers['ratelimit-policy']).toBe('"session";q=2;w=60');
    expect(await statusesOf(4, session)).toEqual([200, 200, 200, 429]);
  });

  it('are those that the operator set for an organisation', async () => {
    await api.database.asOwner(`update organisation set limits = '{"key": 1}' where orgcode = $1`, [orgcode]);
    expect(await statusesOf(3)).toEqual([200, 200, 429]);
    const generous = await api.anOwner();
    await api.database.asOwner(`update organisation set limits = '{"key": 50}' where orgcode = $1`, [generous.orgcode]);
    const statuses = await statusesOf(BURST + 5, { 'x-api-key': generous.key }, generous.orgcode);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('give back what time brings: after the seconds of Retry-After the call passes', async () => {
    await api.database.asOwner(`update organisation set limits = '{"key": 60}' where orgcode = $1`, [orgcode]);
    await Promise.all(Array.from({ length: 120 }, () => ask()));
    let refused = await ask();
    while (refused.status === 200) refused = await ask();
    expect(refused.status).toBe(429);
    await sleep(Number(refused.headers['retry-after']) * 1000 + 50);
    expect((await ask()).status).toBe(200);
  });

  it('are not spent on probes and on operations for anyone', async () => {
    for (let i = 0; i < BURST + 3; i += 1) expect((await api.send('/stat', { method: 'GET' })).status).toBe(200);
    expect((await ask()).status).toBe(200);
  });

  it('grant exactly the capacity to many calls at once in two processes', async () => {
    const other = await TestApi.startOn(api.database, { RATE_LIMIT_KEY_PER_MIN: '20' });
    const own = await TestApi.startOn(api.database, { RATE_LIMIT_KEY_PER_MIN: '20' });
    const callIn = (where: TestApi): Promise<ApiAnswer> => where.call('/pagination/get', {}, { orgcode, key });
    const before = Date.now();
    const answers = await Promise.all(Array.from({ length: 120 }, (_, i) => callIn(i % 2 ? other : own)));
    const refilled = Math.floor(((Date.now() - before) * 20) / 60_000) + 1;
    const granted = answers.filter(({ status }) => status === 200).length;
    expect(granted).toBeGreaterThanOrEqual(40);
    expect(granted).toBeLessThanOrEqual(40 + refilled);
    expect(answers.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
    await other.app.close();
    await own.app.close();
  });
});
