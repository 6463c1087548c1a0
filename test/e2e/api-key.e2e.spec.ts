import { setTimeout as sleep } from 'node:timers/promises';
import { ApiKeyUsage } from '../../src/access/api-key-usage.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { HeldLock, waiterOf } from '../support/held-lock.js';

/** A key that another process knows is refused there after this long; the product promises 3 s. */
const REVOKED_EVERYWHERE_MS = 4_000;

describe('API keys', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  function create(fields: object, as = key): Promise<ApiAnswer> {
    return api.call(
      '/access/key/create',
      { ...writeGrounds(orgcode), roles: ['integration_view'], ...fields },
      { orgcode, key: as },
    );
  }

  function revoke(keyId: string, as = key): Promise<ApiAnswer> {
    return api.call('/access/key/revoke', { ...writeGrounds(orgcode), key_id: keyId }, { orgcode, key: as });
  }

  async function statusWith(apiKey: string, where = api): Promise<number> {
    return (await where.call('/pagination/get', {}, { orgcode, key: apiKey })).status;
  }

  it('are made with a prefix, an id and what was asked for, and work at once', async () => {
    const { status, body } = await create({ caption: 'till 7', roles: ['integration_service', 'auditor'] });
    expect(status).toBe(200);
    expect(body.data.api_key).toMatch(/^ipm_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    expect(body.data.api_key).toContain(`ipm_${body.data.key.key_id}_`);
    expect(body.data.key).toMatchObject({
      caption: 'till 7',
      roles: ['integration_service', 'auditor'],
      status: 'active',
      revision: '1',
    });
    const { body: used } = await api.call('/pagination/get', {}, { orgcode, key: body.data.api_key });
    expect(used.stats).toMatchObject({
      actor: `api_key:${body.data.key.key_id}`,
      context_source: 'api_key',
      api_key_fingerprint: body.data.key.fingerprint,
    });
    expect(used.stats).not.toHaveProperty('session_fingerprint');
  });

  it('are shown once and stored nowhere as text', async () => {
    const { body } = await create({});
    const secret = body.data.api_key.split('_')[2] as string;
    const { body: listed } = await api.call('/access/key/list', { limit: 256 }, { orgcode, key });
    expect(JSON.stringify(listed)).not.toContain(secret);
    const tables = await api.database.asOwner<{ name: string }>(
      `select tablename::text as name from pg_tables where schemaname = 'public'`,
    );
    for (const { name } of tables) {
      const rows = await api.database.asOwner(`select 1 from "${name}" t where t::text like $1`, [`%${secret}%`]);
      expect({ name, rows: rows.length }).toEqual({ name, rows: 0 });
    }
  });

  it('keep a verifier that is no plain hash of the key and not the fingerprint that is shown', async () => {
    const { body } = await create({});
    const [row] = await api.database.asOwner<{ verifier: string; plain: string; fingerprint: string }>(
      `select encode(verifier, 'hex') as verifier, encode(sha256(convert_to($2, 'UTF8')), 'hex') as plain, fingerprint from api_key where key_id = $1`,
      [body.data.key.key_id, body.data.api_key],
    );
    expect(row?.verifier).not.toBe(row?.plain);
    expect(row?.verifier).not.toContain(row?.fingerprint);
    expect(row?.plain).not.toContain(row?.fingerprint);
  });

  it.each([
    { roles: [] },
    { roles: ['root'] },
    { roles: undefined },
    { roles: 'owner' },
    { expires_at: 'tomorrow' },
    { caption: '' },
  ])('are refused with %j, and none is made', async (fields) => {
    const { status, body } = await create(fields);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      error_code: 'request_invalid',
      details: { fields: [{ path: Object.keys(fields)[0] }] },
    });
    expect((await api.call('/access/key/list', {}, { orgcode, key })).body.data.items).toHaveLength(1);
  });

  it('end at their time, also where they were just used', async () => {
    const expires_at = new Date(Date.now() + 1_000).toISOString();
    const { body } = await create({ expires_at });
    expect(body.data.key.expires_at).toBe(expires_at);
    expect(await statusWith(body.data.api_key)).toBe(200);
    await sleep(Date.parse(expires_at) - Date.now() + 20);
    expect(await statusWith(body.data.api_key)).toBe(401);
  });

  it('cannot end before they begin', async () => {
    const answer = await create({ expires_at: new Date(Date.now() - 1_000).toISOString() });
    expect(answer).toMatchObject({ status: 400, body: { error: { error_code: 'expiry_in_past' } } });
  });

  describe('revoked', () => {
    it('are refused at once here and within three seconds in another process', async () => {
      const other = await TestApi.startOn(api.database);
      const { body } = await create({});
      expect([await statusWith(body.data.api_key), await statusWith(body.data.api_key, other)]).toEqual([200, 200]);
      const revoked = await revoke(body.data.key.key_id);
      expect(revoked.body.data.key).toMatchObject({ status: 'revoked', revision: '2', revoked_at: expect.any(String) });
      const sinceMs = Date.now();
      expect(await statusWith(body.data.api_key)).toBe(401);
      while ((await statusWith(body.data.api_key, other)) === 200) {
        expect(Date.now() - sinceMs).toBeLessThan(REVOKED_EVERYWHERE_MS);
        await sleep(50);
      }
      await other.app.close();
    });

    it('stay revoked: a second time is an illegal step that changes nothing', async () => {
      const { body } = await create({});
      await revoke(body.data.key.key_id);
      const again = await revoke(body.data.key.key_id);
      expect(again).toMatchObject({
        status: 409,
        body: { error: { error_code: 'lifecycle_step_refused', details: { from: 'revoked', to: 'revoked' } } },
      });
      const { body: listed } = await api.call('/access/key/list', { status: 'revoked' }, { orgcode, key });
      expect(listed.data.items).toMatchObject([{ key_id: body.data.key.key_id, revision: '2' }]);
    });

    it('are those of one organisation: an id of another one is as unknown as any', async () => {
      const stranger = await api.anOwner();
      const { body } = await create({});
      const request = { ...writeGrounds(stranger.orgcode), key_id: body.data.key.key_id };
      const theirs = await api.call('/access/key/revoke', request, stranger);
      const unknown = await api.call('/access/key/revoke', { ...request, key_id: 'none' }, stranger);
      expect(theirs.status).toBe(404);
      expect(theirs.body.error?.minor).toEqual(unknown.body.error?.minor);
      expect(await statusWith(body.data.api_key)).toBe(200);
    });

    it('are never the last owner key that does not expire', async () => {
      const { body } = await api.call('/access/key/list', {}, { orgcode, key });
      const own = body.data.items[0].key_id as string;
      await create({ roles: ['owner'], expires_at: new Date(Date.now() + 3_600_000).toISOString() });
      expect(await revoke(own)).toMatchObject({ status: 409, body: { error: { error_code: 'last_owner_key' } } });
      expect(await statusWith(key)).toBe(200);
      const { body: second } = await create({ roles: ['owner'] });
      expect((await revoke(own, second.data.api_key)).status).toBe(200);
    });

    it('by two owners at once, each the other’s, leave one', async () => {
      const { body: listed } = await api.call('/access/key/list', {}, { orgcode, key });
      const { body: second } = await create({ roles: ['owner'] });
      // Both come as far as their audit events, and so each has counted the owners that the other leaves.
      const lock = await HeldLock.take(api.database, `select 1 from audit_chain where orgcode = $1 for update`, [
        orgcode,
      ]);
      const revocations = [
        revoke(second.data.key.key_id, key),
        revoke(listed.data.items[0].key_id, second.data.api_key),
      ];
      await waiterOf(api.database, 2);
      await lock.release();
      const answers = await Promise.all(revocations);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    });
  });

  it('show when they were last used, to the minute', async () => {
    const { body } = await create({});
    await statusWith(body.data.api_key);
    await api.app.get(ApiKeyUsage).write();
    const { body: listed } = await api.call('/access/key/list', { limit: 1 }, { orgcode, key });
    const { last_used_at } = listed.data.items[0] as { last_used_at: string };
    expect(last_used_at).toMatch(/:00\.000Z$/);
    expect(Date.now() - Date.parse(last_used_at)).toBeLessThan(130_000);
  });

  it('are listed newest first and by status', async () => {
    const made = [];
    for (let i = 0; i < 3; i += 1) made.unshift((await create({ caption: `n${i}` })).body.data.key.key_id);
    await revoke(made[1]!);
    const { body } = await api.call('/access/key/list', { limit: 3 }, { orgcode, key });
    expect(body.data.items.map((item: { key_id: string }) => item.key_id)).toEqual(made);
    const { body: active } = await api.call('/access/key/list', { status: 'active' }, { orgcode, key });
    expect(active.data.items.map((item: { status: string }) => item.status)).toEqual(['active', 'active', 'active']);
  });
});
