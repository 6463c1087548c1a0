import { randomUUID } from 'node:crypto';
import { HeldLock, waiterOf } from '../support/held-lock.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

describe('idempotency', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  /** A write that is not secret: a new revision each time it really runs. */
  function setCaption(
    caption: string,
    idempotency: { header?: string; body?: unknown } = {},
    revision = '1',
  ): Promise<ApiAnswer> {
    const request = { ...writeGrounds(orgcode), expected_revision: revision, caption };
    const inBody = 'body' in idempotency ? { idempotency_key: idempotency.body } : {};
    const headers: Record<string, string> =
      idempotency.header === undefined ? {} : { 'idempotency-key': idempotency.header };
    return api.call('/access/org/set', { ...request, ...inBody }, { orgcode, key, headers });
  }

  async function revision(org = orgcode, as = key): Promise<string> {
    return (await api.call('/access/org/get', {}, { orgcode: org, key: as })).body.data.org.revision;
  }

  async function auditOf(call: string, outcome = 'done'): Promise<number> {
    const rows = await api.database.asOwner(
      `select 1 from audit_event where orgcode = $1 and event_type = $2 and outcome = $3`,
      [orgcode, call, outcome],
    );
    return rows.length;
  }

  async function keysStored(): Promise<number> {
    return (await api.database.asOwner(`select 1 from idempotency_key where orgcode = $1`, [orgcode])).length;
  }

  it.each([
    ['body', { body: 'k-1' }],
    ['header', { header: 'k-1' }],
    ['both, alike', { body: 'k-1', header: 'k-1' }],
  ])(
    'gives the first answer again, whole and marked, and does nothing twice: key in %s',
    async (_name, idempotency) => {
      const first = await setCaption('once', idempotency);
      const again = await setCaption('once', idempotency);
      expect(first.status).toBe(200);
      expect(first.headers).not.toHaveProperty('idempotent-replayed');
      expect(again.headers['idempotent-replayed']).toBe('true');
      expect(again.body).toEqual(first.body);
      expect(await revision()).toBe('2');
      expect(await auditOf('access/org/set')).toBe(1);
    },
  );

  it('knows the key of the body and that of the header for the same key', async () => {
    await setCaption('once', { body: 'k-1' });
    expect((await setCaption('once', { header: 'k-1' })).headers['idempotent-replayed']).toBe('true');
  });

  it('knows the request by what it says, not by the order of its properties nor by what nobody reads', async () => {
    const request = { ...writeGrounds(orgcode), expected_revision: '1', caption: 'once', idempotency_key: 'k-1' };
    const reversed = { unknown: 1, ...Object.fromEntries(Object.entries(request).reverse()) };
    await api.call('/access/org/set', request, { orgcode, key });
    expect((await api.call('/access/org/set', reversed, { orgcode, key })).headers['idempotent-replayed']).toBe('true');
  });

  it('refuses another request under a used key, changes nothing, and says so in the audit', async () => {
    await setCaption('once', { body: 'k-1' });
    const other = await setCaption('twice', { body: 'k-1' });
    expect(other).toMatchObject({
      status: 409,
      body: { error: { error_code: 'idempotency_key_reused', retryable: false } },
    });
    expect(other.headers).not.toHaveProperty('idempotent-replayed');
    expect(await revision()).toBe('2');
    expect(await auditOf('access/org/set', 'refused')).toBe(1);
  });

  it('refuses two different keys in body and header', async () => {
    expect(await setCaption('once', { body: 'k-1', header: 'k-2' })).toMatchObject({
      status: 400,
      body: { error: { error_code: 'idempotency_key_invalid' } },
    });
    expect(await revision()).toBe('1');
  });

  it.each(['', 'with space', 'x'.repeat(256), 'caf\u00e9', 'tab\tinside'])(
    'refuses the key "%s", in header and body',
    async (bad) => {
      expect((await setCaption('x', { header: bad })).status).toBe(400);
      expect((await setCaption('x', { body: bad })).status).toBe(400);
      expect(await revision()).toBe('1');
    },
  );

  it.each([7, {}, ['k']])('refuses the key %j, which is no text', async (bad) => {
    expect((await setCaption('x', { body: bad })).status).toBe(400);
  });

  it('takes keys of 255 visible characters, and keeps keys apart that differ in case', async () => {
    expect((await setCaption('a', { body: '~'.repeat(255) })).status).toBe(200);
    expect((await setCaption('b', { body: 'K' }, '2')).status).toBe(200);
    expect((await setCaption('c', { body: 'k' }, '3')).status).toBe(200);
  });

  it('is ignored by reads', async () => {
    const read = (limit: number): Promise<ApiAnswer> =>
      api.call('/access/key/list', { limit }, { orgcode, key, headers: { 'idempotency-key': 'k-1' } });
    expect((await read(1)).status).toBe(200);
    const second = await read(2);
    expect(second.status).toBe(200);
    expect(second.headers).not.toHaveProperty('idempotent-replayed');
    expect(
      (await api.call('/access/key/list', {}, { orgcode, key, headers: { 'idempotency-key': 'not a key' } })).status,
    ).toBe(200);
    expect(await keysStored()).toBe(0);
  });

  it('belongs to one route', async () => {
    await setCaption('once', { body: 'k-1' });
    const session = { ...writeGrounds(orgcode), actor: 'ada', roles: ['integration_view'], idempotency_key: 'k-1' };
    const answer = await api.call('/access/session/open', session, { orgcode, key });
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('idempotent-replayed');
  });

  it('belongs to one organisation', async () => {
    await setCaption('once', { body: 'k-1' });
    const other = await api.anOwner();
    const request = {
      ...writeGrounds(other.orgcode),
      expected_revision: '1',
      caption: 'theirs',
      idempotency_key: 'k-1',
    };
    const answer = await api.call('/access/org/set', request, other);
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('idempotent-replayed');
    expect(answer.body.data.org).toMatchObject({ orgcode: other.orgcode, caption: 'theirs' });
  });

  it('gives an answer without secrets to any credential that may call', async () => {
    const first = await setCaption('once', { body: 'k-1' });
    const colleague = await api.aKey(orgcode, 'owner');
    const request = { ...writeGrounds(orgcode), expected_revision: '1', caption: 'once', idempotency_key: 'k-1' };
    expect((await api.call('/access/org/set', request, { orgcode, key: colleague })).body).toEqual(first.body);
    const viewer = await api.aKey(orgcode, 'integration_view');
    expect((await api.call('/access/org/set', request, { orgcode, key: viewer })).status).toBe(403);
  });

  it('keeps no errors: the same key works once what was wrong is mended', async () => {
    expect((await setCaption('x', { body: 'k-1' }, '9')).status).toBe(409);
    expect(await keysStored()).toBe(0);
    const mended = await setCaption('x', { body: 'k-1' }, '1');
    expect(mended.status).toBe(200);
    expect(mended.headers).not.toHaveProperty('idempotent-replayed');
  });

  it('lasts 24 hours and then begins anew', async () => {
    await setCaption('once', { body: 'k-1' });
    const [stored] = await api.database.asOwner<{ hours: number }>(
      `select extract(epoch from expires_at - now())::float / 3600 as hours from idempotency_key where orgcode = $1`,
      [orgcode],
    );
    expect(stored?.hours).toBeCloseTo(24, 1);
    await api.database.asOwner(
      `update idempotency_key set expires_at = now() - interval '1 second' where orgcode = $1`,
      [orgcode],
    );
    const anew = await setCaption('another request', { body: 'k-1' }, '2');
    expect(anew.status).toBe(200);
    expect(anew.headers).not.toHaveProperty('idempotent-replayed');
    const again = await setCaption('another request', { body: 'k-1' }, '2');
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual(anew.body);
    expect(await revision()).toBe('3');
  });

  it('lets one of 50 twins at once have the effect, and gives all the same answer', async () => {
    const request = {
      ...writeGrounds(orgcode),
      actor: 'ada',
      roles: ['integration_view'],
      idempotency_key: randomUUID(),
    };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.call('/access/session/open', request, { orgcode, key })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await api.database.asOwner(`select 1 from session where orgcode = $1`, [orgcode])).toHaveLength(1);
    expect(await auditOf('access/session/open')).toBe(1);
  });

  it('lets twins in two processes have one effect', async () => {
    const other = await TestApi.startOn(api.database);
    const request = { ...writeGrounds(orgcode), expected_revision: '1', caption: 'x', idempotency_key: 'k-1' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? api : other).call('/access/org/set', request, { orgcode, key })),
    );
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await revision()).toBe('2');
    await other.app.close();
  });

  it('answers 409, to be tried again, while the first takes long; and then gives its answer', async () => {
    const lock = await HeldLock.take(api.database, `select 1 from audit_chain where orgcode = $1 for update`, [
      orgcode,
    ]);
    const first = setCaption('slow', { body: 'k-1' });
    await waiterOf(api.database);
    // The twin waits 2 s for the key, as long as the first waits for the lock: it gives up a moment later, and may find the key free.
    const twin = setCaption('slow', { body: 'k-1' });
    const firstAnswer = await first;
    expect(firstAnswer).toMatchObject({
      status: 503,
      body: { error: { error_code: 'database_busy', retryable: true } },
    });
    const { status, body, headers } = await twin;
    expect([409, 503]).toContain(status);
    expect(body.error?.retryable).toBe(true);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    await lock.release();
    expect((await setCaption('slow', { body: 'k-1' })).status).toBe(200);
    expect(await revision()).toBe('2');
  });

  it('waits for a twin in flight only briefly: a key that is held answers 409, retryable', async () => {
    await setCaption('x', { body: 'other' });
    const lock = await HeldLock.take(
      api.database,
      `insert into idempotency_key (orgcode, route, key, request_hash, credential, expires_at) values ($1, 'access/org/set', 'held', '\\x00', 'c', now() + interval '1 day')`,
      [orgcode],
    );
    const before = Date.now();
    const answer = await setCaption('y', { body: 'held' }, '2');
    expect(answer).toMatchObject({
      status: 409,
      body: { error: { error_code: 'idempotency_in_flight', retryable: true } },
    });
    expect(answer.headers['retry-after']).toBe('1');
    expect(Date.now() - before).toBeLessThan(5_000);
    await lock.release();
    expect((await setCaption('y', { body: 'held' }, '2')).status).toBe(200);
  });

  it('leaves nothing when the connection dies between the work and its commit', async () => {
    const request = {
      ...writeGrounds(orgcode),
      roles: ['integration_view'],
      caption: 'crashed',
      idempotency_key: 'k-1',
    };
    const lock = await HeldLock.take(api.database, `select 1 from audit_chain where orgcode = $1 for update`, [
      orgcode,
    ]);
    const crashing = api.call('/access/key/create', request, { orgcode, key });
    const pid = await waiterOf(api.database);
    await api.database.asOwner(`select pg_terminate_backend($1)`, [pid]);
    expect(await crashing).toMatchObject({
      status: 503,
      body: { error: { error_code: 'database_unavailable', retryable: true } },
    });
    await lock.release();
    expect(await keysStored()).toBe(0);
    expect(
      await api.database.asOwner(`select 1 from api_key where orgcode = $1 and caption = 'crashed'`, [orgcode]),
    ).toHaveLength(0);
    expect(await auditOf('access/key/create', 'done')).toBe(1);
    const retried = await api.call('/access/key/create', request, { orgcode, key });
    expect(retried.status).toBe(200);
    expect(retried.headers).not.toHaveProperty('idempotent-replayed');
    expect((await api.call('/pagination/get', {}, { orgcode, key: retried.body.data.api_key })).status).toBe(200);
  });
});
