import { HeldLock } from '../support/held-lock.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { operationsOf } from '../support/operations.js';

describe('expected_revision', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  function set(fields: object, as = { orgcode, key }): Promise<ApiAnswer> {
    return api.call('/access/org/set', { ...writeGrounds(as.orgcode), ...fields }, as);
  }

  async function present(as = { orgcode, key }): Promise<Record<string, unknown>> {
    return (await api.call('/access/org/get', {}, as)).body.data.org;
  }

  it('that is missing is 428 with the present record', async () => {
    const answer = await set({ caption: 'x' });
    expect(answer).toMatchObject({
      status: 428,
      body: { error: { error_code: 'revision_required', major: { tag: 'precondition' } } },
    });
    expect(answer.body.error?.conflict_snapshot).toEqual(await present());
  });

  it('that is null counts as missing', async () => {
    expect((await set({ caption: 'x', expected_revision: null })).status).toBe(428);
  });

  it('that is missing is said before anything else of the body, for every operation that asks for one', async () => {
    const revisioned = operationsOf(api.app).filter(({ options }) => options.revisionOf);
    expect(revisioned.length).toBeGreaterThan(0);
    for (const { path } of revisioned) {
      for (const body of [
        {},
        { caption: 7, reason: [], request_context: 'x' },
        { request_context: { orgcode: 'another' } },
      ]) {
        const answer = await api.call(path, body, { orgcode, key });
        expect({ path, status: answer.status }).toEqual({ path, status: 428 });
      }
    }
  });

  it('that is missing leaves no key behind, and the mended request works with it', async () => {
    expect((await set({ caption: 'x', idempotency_key: 'k-1' })).status).toBe(428);
    const mended = await set({ caption: 'x', idempotency_key: 'k-1', expected_revision: '1' });
    expect(mended.status).toBe(200);
    expect(mended.headers).not.toHaveProperty('idempotent-replayed');
  });

  it.each([1, 1.5, true, {}, ['1'], '', 'one', '-1', '1.0', ' 1', '1'.repeat(19)])(
    '%j is no revision: 400',
    async (expected_revision) => {
      const { status, body } = await set({ caption: 'x', expected_revision });
      expect(status).toBe(400);
      expect(body.error).toMatchObject({
        error_code: 'request_invalid',
        details: { fields: [{ path: 'expected_revision' }] },
      });
      expect(body.error).not.toHaveProperty('conflict_snapshot');
    },
  );

  it.each(['0', '2', '01', '999999999999999999'])(
    '"%s" that is not the present one is 409 with the present record, and changes nothing',
    async (expected_revision) => {
      const before = await present();
      const answer = await set({ caption: 'x', expected_revision });
      expect(answer).toMatchObject({
        status: 409,
        body: { error: { error_code: 'revision_stale', major: { tag: 'conflict' } } },
      });
      expect(answer.body.error?.conflict_snapshot).toEqual(before);
      expect(await present()).toEqual(before);
    },
  );

  it('shows never another organisation’s record', async () => {
    const other = await api.anOwner();
    await set({ caption: 'secret of the other', expected_revision: '1' }, other);
    const grounds = writeGrounds(other.orgcode);
    for (const body of [
      { ...grounds, orgcode: other.orgcode },
      { ...grounds, orgcode: other.orgcode, expected_revision: '77' },
      { ...writeGrounds(orgcode), org: { orgcode: other.orgcode }, orgcode: other.orgcode, expected_revision: '77' },
    ]) {
      const answer = await api.call('/access/org/set', body, { orgcode, key });
      expect([400, 409, 428]).toContain(answer.status);
      expect(JSON.stringify(answer.body)).not.toMatch(/secret of the other/);
      const snapshot = answer.body.error?.conflict_snapshot as { orgcode?: string } | undefined;
      if (snapshot) expect(snapshot.orgcode).toBe(orgcode);
    }
    const foreign = await api.call('/access/org/set', {}, { orgcode: other.orgcode, key });
    expect(foreign.status).toBe(404);
    expect(foreign.body.error).not.toHaveProperty('conflict_snapshot');
  });

  it('lets one of 50 writers at once win, round after round, and tells the others what it became', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => set({ caption: `${round}-${i}`, expected_revision: String(round) })),
      );
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      const record = await present();
      expect(record).toMatchObject({ revision: String(round + 1), caption: won[0]?.body.data.org.caption });
      const lost = answers.filter(({ status }) => status !== 200);
      for (const { status, body } of lost)
        expect({ status, snapshot: body.error?.conflict_snapshot }).toEqual({ status: 409, snapshot: record });
    }
    const events = await api.database.asOwner(
      `select outcome from audit_event where orgcode = $1 and event_type = 'access/org/set'`,
      [orgcode],
    );
    expect(events.filter(({ outcome }) => outcome === 'done')).toHaveLength(3);
  });

  it('of a record that somebody holds for long is 503, to be tried again, and then works', async () => {
    const lock = await HeldLock.take(api.database, `select 1 from organisation where orgcode = $1 for update`, [
      orgcode,
    ]);
    const answer = await set({ caption: 'x', expected_revision: '1' });
    expect(answer).toMatchObject({ status: 503, body: { error: { error_code: 'database_busy', retryable: true } } });
    expect(answer.headers['retry-after']).toBe('1');
    await lock.release();
    expect((await set({ caption: 'x', expected_revision: '1' })).status).toBe(200);
  });
});
