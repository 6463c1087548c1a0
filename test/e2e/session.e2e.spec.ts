import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_SESSION_SECONDS } from '../../src/access/access.dto.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

const CLOSED_EVERYWHERE_MS = 4_000;

describe('sessions', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  function open(fields: object = {}): Promise<ApiAnswer> {
    const request = { ...writeGrounds(orgcode), actor: 'ada', roles: ['integration_view'], ...fields };
    return api.call('/access/session/open', request, { orgcode, key });
  }

  function close(sessionId: string): Promise<ApiAnswer> {
    return api.call('/access/session/close', { ...writeGrounds(orgcode), session_id: sessionId }, { orgcode, key });
  }

  function callWith(guid: string, where = api, path = '/pagination/get'): Promise<ApiAnswer> {
    return where.call(path, {}, { orgcode, headers: { 'x-session-guid': guid } });
  }

  it('let somebody act with the roles they were opened for, and say who', async () => {
    const { status, body } = await open();
    expect(status).toBe(200);
    expect(body.data.session).toMatchObject({ actor: 'ada', roles: ['integration_view'], status: 'open' });
    const used = await callWith(body.data.session_guid);
    expect(used.status).toBe(200);
    expect(used.body.stats).toMatchObject({
      actor: 'ada',
      context_source: 'session',
      session_fingerprint: body.data.session.fingerprint,
      roles: ['integration_view'],
    });
    expect(used.body.stats).not.toHaveProperty('api_key_fingerprint');
    expect((await callWith(body.data.session_guid, api, '/access/org/get')).status).toBe(403);
  });

  it('have a GUID that is not their id and is stored nowhere as text', async () => {
    const { body } = await open();
    expect(body.data.session_guid).not.toBe(body.data.session.session_id);
    expect((await callWith(body.data.session.session_id)).status).toBe(401);
    const tables = await api.database.asOwner<{ name: string }>(
      `select tablename::text as name from pg_tables where schemaname = 'public'`,
    );
    for (const { name } of tables) {
      const rows = await api.database.asOwner(`select 1 from "${name}" t where t::text like $1`, [
        `%${body.data.session_guid}%`,
      ]);
      expect({ name, rows: rows.length }).toEqual({ name, rows: 0 });
    }
  });

  it.each([
    [60, true],
    [MAX_SESSION_SECONDS, true],
    [59, false],
    [MAX_SESSION_SECONDS + 1, false],
    [90.5, false],
    ['90', false],
  ])('may live for %p seconds: %p', async (lifetime_seconds, may) => {
    const { status, body } = await open({ lifetime_seconds });
    expect(status).toBe(may ? 200 : 400);
    if (!may) return;
    const livesMs = Date.parse(body.data.session.expires_at) - Date.parse(body.data.session.created_at);
    expect(Math.abs(livesMs - Number(lifetime_seconds) * 1000)).toBeLessThan(2_000);
  });

  it('live for eight hours unless said otherwise', async () => {
    const { body } = await open();
    const livesMs = Date.parse(body.data.session.expires_at) - Date.parse(body.data.session.created_at);
    expect(Math.abs(livesMs - 8 * 3_600_000)).toBeLessThan(2_000);
  });

  it.each([{ actor: '' }, { actor: 7 }, { actor: 'x'.repeat(257) }, { roles: [] }, { roles: ['root'] }])(
    'are not opened with %j',
    async (fields) => {
      expect((await open(fields)).status).toBe(400);
    },
  );

  it('are refused at once here and within three seconds in another process when closed', async () => {
    const other = await TestApi.startOn(api.database);
    const { body } = await open();
    const guid = body.data.session_guid as string;
    expect([(await callWith(guid)).status, (await callWith(guid, other)).status]).toEqual([200, 200]);
    const closed = await close(body.data.session.session_id);
    expect(closed.body.data.session).toMatchObject({ status: 'closed', closed_at: expect.any(String) });
    const sinceMs = Date.now();
    expect((await callWith(guid)).status).toBe(401);
    while ((await callWith(guid, other)).status === 200) {
      expect(Date.now() - sinceMs).toBeLessThan(CLOSED_EVERYWHERE_MS);
      await sleep(50);
    }
    await other.app.close();
  });

  it('are closed once: of many closers one succeeds', async () => {
    const { body } = await open();
    const answers = await Promise.all(Array.from({ length: 5 }, () => close(body.data.session.session_id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });

  it('end with their lifetime', async () => {
    const { body } = await open({ lifetime_seconds: 60 });
    await api.database.asOwner(
      `update session set expires_at = now() + interval '600 milliseconds' where session_id = $1`,
      [body.data.session.session_id],
    );
    expect((await callWith(body.data.session_guid)).status).toBe(200);
    await sleep(700);
    expect((await callWith(body.data.session_guid)).status).toBe(401);
  });

  it('of another organisation are as unknown as any', async () => {
    const { body } = await open();
    const stranger = await api.anOwner();
    for (const session_id of [body.data.session.session_id, randomUUID()]) {
      const answer = await api.call(
        '/access/session/close',
        { ...writeGrounds(stranger.orgcode), session_id },
        stranger,
      );
      expect(answer).toMatchObject({ status: 404, body: { error: { error_code: 'session_not_found' } } });
    }
    expect((await callWith(body.data.session_guid)).status).toBe(200);
    const elsewhere = await api.call(
      '/pagination/get',
      {},
      { orgcode: stranger.orgcode, headers: { 'x-session-guid': body.data.session_guid } },
    );
    expect(elsewhere.status).toBe(404);
  });

  it('are opened and closed by owners only', async () => {
    const admin = await api.aKey(orgcode, 'integration_admin');
    for (const path of ['/access/session/open', '/access/session/close'])
      expect((await api.call(path, writeGrounds(orgcode), { orgcode, key: admin })).status).toBe(403);
  });

  it('act with what an owner gave, also as owner', async () => {
    const { body } = await open({ roles: ['owner'], actor: 'grace' });
    const made = await api.call(
      '/access/key/create',
      { ...writeGrounds(orgcode), roles: ['integration_view'] },
      { orgcode, headers: { 'x-session-guid': body.data.session_guid } },
    );
    expect(made.body.data.key.created_by).toBe('grace');
  });
});
