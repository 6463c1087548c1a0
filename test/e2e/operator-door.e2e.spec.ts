import { randomInt, randomUUID } from 'node:crypto';
import { TestApi } from '../support/api.js';
import { IntrospectionService } from '../support/introspection-service.js';
import { aRun, asOperator, askRuns, OPERATOR_KEY, RUNS, WITH_OPERATOR } from '../support/operation-runs.js';
import { operatorRoutesOf } from '../support/operations.js';

/** Its bucket is in Redis, which other specs share: nobody else uses this address. */
const anAddress = (): string => `198.19.${randomInt(256)}.${randomInt(1, 255)}`;

describe("the operators' door", () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  beforeAll(async () => {
    api = await TestApi.start(WITH_OPERATOR);
    ({ orgcode, key } = await api.anOwner());
  });
  afterAll(() => api.close());

  it('lets nobody in without a credential, to none of its routes', async () => {
    const routes = operatorRoutesOf(api.app);
    expect(routes.length).toBeGreaterThanOrEqual(2);
    for (const { method, path } of routes) {
      const url = path.replace(/:\w+/g, '1');
      const { statusCode } = await api.app.inject({ method, url });
      expect([method, path, statusCode]).toEqual([method, path, 401]);
    }
  });

  it('opens to the key of operators', async () => {
    expect((await askRuns(api, '', asOperator)).status).toBe(200);
  });

  it('tells a wrong key nothing', async () => {
    for (const wrong of ['', 'wrong', `${OPERATOR_KEY}x`, OPERATOR_KEY.slice(1), OPERATOR_KEY.toUpperCase()]) {
      const { status, body } = await askRuns(api, '', { headers: { 'x-api-key': wrong } });
      expect([wrong, status, body.code]).toEqual([wrong, 404, 'operation_run_not_found']);
    }
  });

  it('does not open to a second credential beside the key', async () => {
    const others: Record<string, string>[] = [{ 'x-session-guid': 'x' }, { authorization: `Bearer ${OPERATOR_KEY}` }];
    for (const other of others) {
      const headers = { 'x-api-key': OPERATOR_KEY, ...other };
      expect((await askRuns(api, '', { headers })).status).toBe(404);
    }
    expect((await askRuns(api, '', { headers: { authorization: `Bearer ${OPERATOR_KEY}` } })).status).toBe(404);
  });

  it('is the only one that the key opens', async () => {
    const { status, body } = await api.call('/pagination/get', {}, { orgcode, key: OPERATOR_KEY });
    expect([status, body.error?.error_code]).toEqual([401, 'credential_invalid']);
  });

  it('is closed to the key where there is none: it is as good as no credential', async () => {
    const without = await TestApi.startOn(api.database, { API_KEY: undefined });
    try {
      for (const given of [OPERATOR_KEY, '', 'undefined']) {
        const { status, body } = await askRuns(without, '', { headers: { 'x-api-key': given } });
        expect([given, status, body.code]).toEqual([given, 401, 'credential_invalid']);
      }
      expect((await askRuns(without, '', { headers: { 'x-api-key': key } })).status).toBe(200); // an owner's own runs
    } finally {
      await without.app.close();
    }
  });

  it('shows the rate of operators, and keeps to it', async () => {
    const slow = await TestApi.startOn(api.database, { ...WITH_OPERATOR, RATE_LIMIT_KEY_PER_MIN: '100000' });
    const { headers } = await askRuns(slow, '', asOperator);
    expect(headers['ratelimit-policy']).toBe('"key";q=100000;w=60');
    await slow.app.close();
  });

  it('asks a member of several organisations which one, and shows that one alone', async () => {
    const service = await IntrospectionService.start();
    const vouched = await TestApi.startOn(api.database, { ...WITH_OPERATOR, SESSION_INTROSPECTION_URL: service.url });
    try {
      const another = await api.anOrg();
      const [ours, theirs] = [await aRun(api, { orgcode }), await aRun(api, { orgcode: another })];
      const session = (orgs: object[]): string => {
        const guid = randomUUID();
        const expires_at = new Date(Date.now() + 60_000).toISOString();
        service.sessions.set(guid, { active: true, actor: 'ada', orgs, expires_at });
        return guid;
      };
      const ask = async (guid: string, named?: string): Promise<unknown> => {
        const headers = { 'x-session-guid': guid, ...(named === undefined ? {} : { 'x-orgcode': named }) };
        const { status, body } = await askRuns(vouched, '', { headers });
        return status === 200 ? body.data.map(({ id }: { id: number }) => id) : [status, body.code];
      };
      const both = session([orgcode, another].map((one) => ({ orgcode: one, roles: ['integration_admin'] })));
      expect(await ask(both)).toEqual([400, 'orgcode_required']);
      expect(await ask(both, orgcode)).toContain(ours);
      expect(await ask(both, another)).toEqual([theirs]);
      const one = session([
        { orgcode, roles: ['integration_view'] },
        { orgcode: another, roles: ['integration_admin'] },
      ]);
      expect(await ask(one)).toEqual([theirs]);
      expect(await ask(one, orgcode)).toEqual([404, 'operation_run_not_found']);
      expect(await ask('of-nobody')).toEqual([404, 'operation_run_not_found']);
    } finally {
      await vouched.app.close();
      await service.stop();
    }
  });

  describe('counts failed keys by address', () => {
    let strict: TestApi;
    beforeEach(async () => {
      strict = await TestApi.startOn(api.database, { ...WITH_OPERATOR, RATE_LIMIT_FAILED_LOGIN_PER_MIN: '2' });
    });
    afterEach(() => strict.app.close());
    const wrong = { headers: { 'x-api-key': 'wrong' } };
    const failOften = async (remoteAddress: string): Promise<number[]> => {
      const statuses = [];
      for (let i = 0; i < 5; i += 1) statuses.push((await askRuns(strict, '', { ...wrong, remoteAddress })).status);
      return statuses;
    };

    it('and bars an address, also with the right key, which was never seen', async () => {
      const remoteAddress = anAddress();
      expect(await failOften(remoteAddress)).toEqual([404, 404, 404, 404, 429]);
      const barred = await askRuns(strict, '', { ...asOperator, remoteAddress });
      expect([barred.status, barred.body.code, Number(barred.headers['retry-after']) > 0]).toEqual([
        429,
        'rate_limited',
        true,
      ]);
      expect((await askRuns(strict, '', { ...asOperator, remoteAddress: anAddress() })).status).toBe(200);
    });

    it('and keeps nobody out who was in', async () => {
      const remoteAddress = anAddress();
      expect((await askRuns(strict, '', { ...asOperator, remoteAddress })).status).toBe(200);
      await failOften(remoteAddress);
      expect((await askRuns(strict, '', { ...asOperator, remoteAddress })).status).toBe(200);
    });

    it('together with those of /ipm', async () => {
      const remoteAddress = anAddress();
      await failOften(remoteAddress);
      const { statusCode } = await strict.app.inject({
        method: 'POST',
        url: '/ipm/pagination/get',
        remoteAddress,
        headers: { 'x-orgcode': orgcode, 'x-api-key': 'wrong' },
      });
      expect(statusCode).toBe(429);
    });
  });

  describe('answers in the words of the room', () => {
    const inRoom = async (url: string, method: 'GET' | 'POST', payload?: string): Promise<[number, string]> => {
      const headers = { 'x-api-key': OPERATOR_KEY, 'content-type': 'application/json', 'x-request-id': 'req-7' };
      const answer = await api.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
      const body = answer.json<{ code: string; request_id: string }>();
      expect(Object.keys(body).sort()).toEqual(['code', 'details', 'message', 'request_id']);
      expect([answer.headers['x-request-id'], body.request_id]).toEqual(['req-7', 'req-7']);
      return [answer.statusCode, body.code];
    };

    it.each([
      ['a path below it that leads nowhere', `${RUNS}/1/nothing`, 'GET'],
      ['a method that it does not take', RUNS, 'POST'],
      ['a trailing slash', `${RUNS}/`, 'GET'],
    ] as const)('to %s', async (_what, url, method) => {
      expect(await inRoom(url, method)).toEqual([404, 'route_not_found']);
    });

    it('to another spelling of its address', async () => {
      const answer = await api.app.inject({ method: 'GET', url: '/api/admin/%6Fperations/1' });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, 'credential_invalid']);
    });

    it('to what Fastify itself refuses', async () => {
      const { status, body } = await askRuns(api, `/${'x'.repeat(200)}`, asOperator);
      expect([status, body.code]).toEqual([404, 'route_not_found']);
      expect((await askRuns(api, '/%zz', asOperator)).status).toBe(404);
    });

    it('to a failure that nobody expected, without a word of it', async () => {
      const broken = await TestApi.start(WITH_OPERATOR);
      await broken.database.asOwner('alter table operation_run rename to gone');
      const { status, body } = await askRuns(broken, '', asOperator);
      expect([status, JSON.stringify(body).includes('operation_run')]).toEqual([500, false]);
      expect(body.code).toBe('internal_error');
      await broken.close();
    });

    it('and in those of /ipm elsewhere, also where the path only begins alike', async () => {
      for (const url of ['/api/admin/operationsx', '/api/admin', '/ipm/api/admin/operations']) {
        const answer = await api.app.inject({ method: 'GET', url });
        expect([url, answer.statusCode, answer.json<{ success?: boolean }>().success]).toEqual([url, 404, false]);
      }
    });
  });

  it('has who called in the request, as the audit would have it', async () => {
    const id = await aRun(api);
    const { status, headers } = await askRuns(api, `/${id}`, {
      headers: { ...asOperator.headers, 'x-request-id': 'of-the-operator' },
    });
    expect([status, headers['x-request-id']]).toEqual([200, 'of-the-operator']);
  });
});
