import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

const FILTERS = [{ service: 'pos', actions: ['basket.*'] }];

describe('webhooks', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  beforeAll(async () => (api = await TestApi.start({ WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' })));
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));
  afterAll(() => api.close());

  const call = (path: string, body: object, headers: Record<string, string> = {}): Promise<ApiAnswer> =>
    api.call(path, body, { orgcode, key, headers });
  const create = (fields: object = {}, headers: Record<string, string> = {}): Promise<ApiAnswer> =>
    call(
      '/webhook/create',
      { endpoint_url: 'http://127.0.0.1:8080/in', event_filters: FILTERS, ...writeGrounds(orgcode), ...fields },
      headers,
    );
  const setStatus = (webhook: { webhook_id: string; revision: string }, fields: object): Promise<ApiAnswer> =>
    call('/webhook/status/set', {
      webhook_id: webhook.webhook_id,
      expected_revision: webhook.revision,
      ...writeGrounds(orgcode, 'a spec sets it'),
      ...fields,
    });
  const get = async (webhook_id: string): Promise<ApiAnswer> => call('/webhook/get', { webhook_id });
  const tagsOf = ({ body }: ApiAnswer): string[] =>
    ((body.error?.details as { fields?: { tag: string }[] } | undefined)?.fields ?? []).map(({ tag }) => tag);

  describe('webhook/create', () => {
    it('shows the secret once, and nowhere else', async () => {
      const { status, body } = await create({ caption: 'to the shop', headers: { Authorization: 'Bearer canary-7' } });
      expect(status).toBe(200);
      const { signing_secret, ...webhook } = body.data;
      expect(signing_secret).toMatch(/^whsec_/);
      expect(webhook).toMatchObject({
        orgcode,
        caption: 'to the shop',
        status: 'active',
        secret_last4: signing_secret.slice(-4),
        headers: { Authorization: '[masked]' },
        consecutive_failures: 0,
        revision: '1',
      });
      const { deliveries, backlog, ...shown } = (await get(webhook.webhook_id)).body.data.webhook;
      expect(shown).toEqual(webhook);
      expect([deliveries.hour.delivered, backlog.due]).toEqual([0, 0]);
      const rows = await api.database.asOwner<{ row: string }>('select t::text as row from webhook t');
      const audits = await api.database.asOwner<{ row: string }>('select t::text as row from audit_event t');
      const events = await api.database.asOwner<{ row: string }>('select t::text as row from event t');
      const everything = [...rows, ...audits, ...events].map(({ row }) => row).join('\n');
      expect(everything).not.toContain(signing_secret.slice(6, 40));
      expect(everything).not.toContain('canary-7');
    });

    it('refuses those that are too many, however many come at once, and takes one when another is revoked', async () => {
      await create({ webhook_id: 'first' });
      const copied = 'endpoint_url, event_filters, secret_sealed, secret_last4, request_context, reason, source_refs';
      await api.database.asOwner(
        `insert into webhook (orgcode, webhook_id, status, ${copied}, start_position)
         select orgcode, 'copy_' || n, 'paused', ${copied}, 0 from webhook, generate_series(1, 9996) n where orgcode = $1`,
        [orgcode],
      );
      const atOnce = await Promise.all(Array.from({ length: 10 }, (_, n) => create({ webhook_id: `new_${n}` })));
      expect(atOnce.map(({ status }) => status).sort()).toEqual([200, 200, 200, 409, 409, 409, 409, 409, 409, 409]);
      const refused = await create({ webhook_id: 'last' });
      expect([refused.status, refused.body.error]).toMatchObject([
        409,
        { error_code: 'too_many_webhooks', details: { max: 10_000 } },
      ]);
      await api.database.asOwner(`update webhook set status = 'revoked' where webhook_id = 'copy_7'`);
      expect((await create({ webhook_id: 'last' })).status).toBe(200);
    });

    it('answers an id that is taken with 409 and no secret, and takes it in another organisation', async () => {
      expect((await create({ webhook_id: 'mine' })).status).toBe(200);
      const again = await create({ webhook_id: 'mine' });
      expect(again.body.error?.error_code).toBe('webhook_exists');
      expect(JSON.stringify(again.body)).not.toContain('whsec_');
      const other = await api.anOwner();
      const there = await api.call(
        '/webhook/create',
        {
          webhook_id: 'mine',
          endpoint_url: 'http://127.0.0.1/',
          event_filters: FILTERS,
          ...writeGrounds(other.orgcode),
        },
        other,
      );
      expect(there.status).toBe(200);
    });

    it('gives the same secret again to the same credential that repeats itself', async () => {
      const first = await create({}, { 'idempotency-key': 'once' });
      const again = await create({}, { 'idempotency-key': 'once' });
      expect(again.body.data).toEqual(first.body.data);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });

    it.each([
      ['https://127.1:22/', 'port_not_allowed'],
      ['https://10.0.0.1/', 'address_not_allowed'],
      ['https://[::1]/', 'address_not_allowed'],
      ['http://8.8.8.8/', 'http_not_allowed'],
      ['ftp://example.com/', 'scheme_not_allowed'],
      ['https://localhost.localdomain.invalid:6379/', 'port_not_allowed'],
    ])('refuses %s', async (endpoint_url, tag) => {
      const refused = await create({ endpoint_url });
      expect(refused.status).toBe(400);
      expect(refused.body.error?.error_code).toBe('endpoint_not_allowed');
      expect(tagsOf(refused)).toEqual([tag]);
    });

    it.each([
      [{ event_filters: [] }, 'empty'],
      [{ event_filters: [{ service: 'with blank' }] }, 'not_a_name'],
      [{ event_filters: [{ service: 'pos', actions: ['*'] }] }, 'not_a_name'],
      [{ status: 'revoked' }, 'revoked_at_birth'],
      [{ headers: { host: 'x' } }, 'reserved'],
    ])('refuses %j', async (fields, tag) => {
      const refused = await create(fields);
      expect(refused.body.error?.error_code).toBe('webhook_invalid');
      expect(tagsOf(refused)).toEqual([tag]);
    });

    it('begins after the last event, and its backlog does where it is paused from the start', async () => {
      const { webhook_id } = (await create({ status: 'paused' })).body.data;
      const [row] = await api.database.asOwner(
        `select start_position = paused_after as same, paused_at is not null as paused,
           (select position from router_cursor c where c.orgcode = w.orgcode) >= start_position as routed,
           (select min(position) from event e where e.orgcode = w.orgcode and e.position > start_position) =
             (select position from event e where e.orgcode = w.orgcode and action = 'webhook.created' and envelope like '%' || $2 || '%') as next
         from webhook w where orgcode = $1 and webhook_id = $2`,
        [orgcode, webhook_id],
      );
      expect(row).toEqual({ same: true, paused: true, routed: true, next: true });
    });
  });

  describe('webhook/list', () => {
    it('is newest first, in pages, by status', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i += 1)
        ids.push((await create({ status: i % 2 === 0 ? 'active' : 'paused' })).body.data.webhook_id);
      const seen: string[] = [];
      let next_token: object | undefined;
      do {
        const { body } = await call('/webhook/list', { limit: 2, ...(next_token ? { next_token } : {}) });
        seen.push(...body.data.items.map((item: { webhook_id: string }) => item.webhook_id));
        ({ next_token } = body.data);
      } while (next_token);
      expect(seen).toEqual(ids.reverse());
      const paused = await call('/webhook/list', { status: 'paused' });
      expect(paused.body.data.items).toHaveLength(2);
    });
  });

  describe('webhook/status/set', () => {
    it('pauses and resumes with a new revision, says so in the log and keeps what is missed as a gap', async () => {
      const created = (await create()).body.data;
      const paused = (await setStatus(created, { status: 'paused' })).body.data.webhook;
      expect(paused).toMatchObject({ status: 'paused', revision: '2', status_reason: 'a spec sets it' });
      const resumed = (await setStatus(paused, { status: 'active' })).body.data.webhook;
      expect(resumed).toMatchObject({ status: 'active', revision: '3' });
      const feed = await call('/cdc/list', { service: 'ipm', limit: 256 });
      const actions = feed.body.data.items.map((item: { action: string }) => item.action);
      expect(actions.slice(-3)).toEqual(['webhook.created', 'webhook.paused', 'webhook.resumed']);
    });

    it('takes the same status again, and nothing after revoked', async () => {
      const created = (await create()).body.data;
      const again = (await setStatus(created, { status: 'active' })).body.data.webhook;
      expect(again.revision).toBe('2');
      const revoked = (await setStatus(again, { status: 'revoked' })).body.data.webhook;
      const refused = await setStatus(revoked, { status: 'active' });
      expect(refused.status).toBe(409);
      expect(refused.body.error?.error_code).toBe('lifecycle_step_refused');
    });

    it('begins anew with active: no failures, and no breaker in the way', async () => {
      const created = (await create()).body.data;
      await api.database.asOwner(
        `insert into webhook_health (orgcode, lane, consecutive_failures, failing_since, not_before)
         select orgcode, lane, 9, now(), now() + interval '1 hour' from webhook where orgcode = $1`,
        [orgcode],
      );
      expect((await setStatus(created, { status: 'active' })).body.data.webhook.consecutive_failures).toBe(0);
      const rows = await api.database.asOwner(
        'select failing_since, not_before from webhook_health where orgcode = $1',
        [orgcode],
      );
      expect(rows).toEqual([{ failing_since: null, not_before: null }]);
    });

    it('answers 428 without a revision and 409 with a stale one, both with the webhook as it is', async () => {
      const created = (await create()).body.data;
      const missing = await setStatus(created, { status: 'paused', expected_revision: undefined });
      expect(missing.status).toBe(428);
      const stale = await setStatus(created, { status: 'paused', expected_revision: '7' });
      expect(stale.status).toBe(409);
      for (const answer of [missing, stale])
        expect(answer.body.error).toMatchObject({
          conflict_snapshot: { webhook_id: created.webhook_id, revision: '1' },
        });
    });

    it('lets exactly one of two concurrent writers win', async () => {
      const created = (await create()).body.data;
      const answers = await Promise.all([1, 2].map(() => setStatus(created, { status: 'paused' })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    });
  });

  it('are 404 where they are not ours or nobody’s', async () => {
    const { webhook_id } = (await create()).body.data;
    const other = await api.anOwner();
    const foreign = await api.call('/webhook/get', { webhook_id }, other);
    const unknown = await api.call('/webhook/get', { webhook_id: 'nobodys' }, other);
    expect([foreign.status, foreign.body.error?.error_code]).toEqual([404, 'webhook_not_found']);
    expect(foreign.body.error?.minor).toEqual(unknown.body.error?.minor);
  });
});
