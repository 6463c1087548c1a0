import { randomInt } from 'node:crypto';
import { TestApi } from '../support/api.js';

const PER_MINUTE = 2;
const ALLOWED = 2 * PER_MINUTE;
const PROXY = '10.1.2.3';

/** Its bucket is in Redis, which other specs share: nobody else uses this address. */
function anAddress(): string {
  return `198.18.${randomInt(256)}.${randomInt(1, 255)}`;
}

describe('failed logins', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => {
    api = await TestApi.start({
      RATE_LIMIT_FAILED_LOGIN_PER_MIN: String(PER_MINUTE),
      TRUST_PROXY: '10.0.0.0/8, fd00::/8',
    });
    ({ orgcode, key } = await api.anOwner());
  });
  afterAll(() => api.close());

  interface From {
    remoteAddress: string;
    forwardedFor?: string;
    apiKey?: string | undefined;
  }

  async function ask({ remoteAddress, forwardedFor, apiKey = 'wrong' }: From): Promise<number> {
    const headers = {
      'x-orgcode': orgcode,
      ...(apiKey === '' ? {} : { 'x-api-key': apiKey }),
      ...(forwardedFor ? { 'x-forwarded-for': forwardedFor } : {}),
    };
    const { statusCode, headers: answered } = await api.app.inject({
      method: 'POST',
      url: '/ipm/pagination/get',
      remoteAddress,
      headers,
    });
    if (statusCode === 429) expect(Number(answered['retry-after'])).toBeGreaterThan(0);
    return statusCode;
  }

  async function askTimes(times: number, from: From): Promise<number[]> {
    const statuses = [];
    for (let i = 0; i < times; i += 1) statuses.push(await ask(from));
    return statuses;
  }

  const USED_UP = [...Array<number>(ALLOWED).fill(401), 429];

  it('are limited by address', async () => {
    const remoteAddress = anAddress();
    expect(await askTimes(ALLOWED + 1, { remoteAddress })).toEqual(USED_UP);
    expect(await ask({ remoteAddress: anAddress() })).toBe(401);
  });

  it('count also when there is no credential, or none that could be one', async () => {
    const remoteAddress = anAddress();
    expect(await askTimes(ALLOWED + 1, { remoteAddress, apiKey: '' })).toEqual(USED_UP);
  });

  it('do not keep out who was let in a moment ago from the same address', async () => {
    const remoteAddress = anAddress();
    expect(await ask({ remoteAddress, apiKey: key })).toBe(200);
    await askTimes(ALLOWED + 1, { remoteAddress });
    expect(await ask({ remoteAddress, apiKey: key })).toBe(200);
  });

  it('bar the address before anything is looked up: a good key that was never seen waits too', async () => {
    const remoteAddress = anAddress();
    await askTimes(ALLOWED + 1, { remoteAddress });
    const fresh = await api.aKey(orgcode, 'integration_view');
    expect(await ask({ remoteAddress, apiKey: fresh })).toBe(429);
    expect(await ask({ remoteAddress: anAddress(), apiKey: fresh })).toBe(200);
  });

  describe('behind a proxy', () => {
    it('that is listed count for the address that it names', async () => {
      const client = anAddress();
      expect(await askTimes(ALLOWED + 1, { remoteAddress: PROXY, forwardedFor: client })).toEqual(USED_UP);
      expect(await ask({ remoteAddress: PROXY, forwardedFor: anAddress() })).toBe(401);
      expect(await ask({ remoteAddress: client })).toBe(429);
    });

    it('that is not listed count for itself, whatever it names', async () => {
      const remoteAddress = anAddress();
      const statuses = [];
      for (let i = 0; i <= ALLOWED; i += 1) statuses.push(await ask({ remoteAddress, forwardedFor: anAddress() }));
      expect(statuses).toEqual(USED_UP);
    });

    it('count for the last address before the listed ones: what a client put in front is not believed', async () => {
      const client = anAddress();
      const statuses = [];
      for (let i = 0; i <= ALLOWED; i += 1)
        statuses.push(await ask({ remoteAddress: PROXY, forwardedFor: `${anAddress()}, ${client}, 10.9.9.9` }));
      expect(statuses).toEqual(USED_UP);
    });
  });

  it('are counted by connection alone where no proxy is listed', async () => {
    const direct = await TestApi.startOn(api.database, { RATE_LIMIT_FAILED_LOGIN_PER_MIN: String(PER_MINUTE) });
    const remoteAddress = anAddress();
    const statuses = [];
    for (let i = 0; i <= ALLOWED; i += 1) {
      const headers = { 'x-orgcode': orgcode, 'x-api-key': 'wrong', 'x-forwarded-for': anAddress() };
      statuses.push(
        (await direct.app.inject({ method: 'POST', url: '/ipm/pagination/get', remoteAddress, headers })).statusCode,
      );
    }
    expect(statuses).toEqual(USED_UP);
    await direct.app.close();
  });
});
