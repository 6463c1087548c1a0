import { randomUUID } from 'node:crypto';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { bulkWrites } from '../support/audited-bulk-writes.js';
import { aDeadDelivery } from '../support/dead-delivery.js';
import { kpiWrites, type WriteUnderTest } from '../support/audited-kpi-writes.js';
import { operationsOf } from '../support/operations.js';
import { anEventType } from '../wall/two-organisations.js';

interface AuditedRow {
  seq: string;
  event_type: string;
  outcome: string;
  error_tag: string | null;
  [column: string]: unknown;
}

const LONG_AGO = '2020-01-01T00:00:00Z';

describe('the audit of writes', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  beforeAll(async () => {
    api = await TestApi.start();
    ({ orgcode, key } = await api.anOwner());
  });
  afterAll(() => api.close());

  const data = async (path: string, body: object): Promise<Record<string, unknown>> =>
    (await api.call(path, { ...writeGrounds(orgcode), ...body }, { orgcode, key })).body.data;
  const aKeyId = async (): Promise<string> =>
    ((await data('/access/key/create', { roles: ['auditor'] })).key as { key_id: string }).key_id;
  const aSessionId = async (): Promise<string> =>
    ((await data('/access/session/open', { actor: 'somebody', roles: ['auditor'] })).session as { session_id: string })
      .session_id;
  const revision = async (): Promise<string> =>
    ((await data('/access/org/get', {})).org as { revision: string }).revision;
  const aWebhook = { endpoint_url: 'https://receiver.invalid/in', event_filters: [{ service: '*' }] };
  let types = 0;
  const aReplayId = async (): Promise<string> => {
    const { webhook_id } = await data('/webhook/create', aWebhook);
    const { replay } = await data('/webhook/replay/start', { webhook_id, to_utc: LONG_AGO });
    return (replay as { replay_id: string }).replay_id;
  };

  const writes: Record<string, WriteUnderTest> = {
    ...kpiWrites(data),
    ...bulkWrites(() => api, data),
    'access/key/create': {
      body: async () => ({ roles: ['auditor'], caption: 'of the spec' }),
      resource: 'api_key',
      creates: true,
      refusal: {
        body: async () => ({ roles: ['auditor'], expires_at: '2001-01-01T00:00:00Z' }),
        status: 400,
        tag: 'expiry_in_past',
      },
    },
    'access/key/revoke': {
      body: async () => ({ key_id: await aKeyId() }),
      resource: 'api_key',
      refusal: { body: async () => ({ key_id: 'nobody' }), status: 404, tag: 'api_key_not_found' },
    },
    'access/session/open': {
      body: async () => ({ actor: 'somebody', roles: ['auditor'] }),
      resource: 'session',
      creates: true,
      refusal: {
        body: async () => ({ actor: 'a', roles: ['auditor'], ...writeGrounds('elsewhere') }),
        status: 400,
        tag: 'orgcode_mismatch',
      },
    },
    'access/session/close': {
      body: async () => ({ session_id: await aSessionId() }),
      resource: 'session',
      refusal: { body: async () => ({ session_id: randomUUID() }), status: 404, tag: 'session_not_found' },
    },
    'access/org/set': {
      body: async () => ({ caption: `caption ${randomUUID()}`, expected_revision: await revision() }),
      resource: 'organisation',
      refusal: {
        body: async () => ({ caption: 'late', expected_revision: '999' }),
        status: 409,
        tag: 'revision_stale',
      },
    },
    'event/catalog/register': {
      body: async () => ({ event_type: anEventType('spec', `thing_${(types += 1)}.made`, 'a thing') }),
      resource: 'event_type',
      creates: true,
      refusal: {
        body: async () => ({ event_type: anEventType('ipm', 'thing.made', 'a thing') }),
        status: 409,
        tag: 'event_type_reserved',
      },
    },
    'webhook/create': {
      body: async () => aWebhook,
      resource: 'webhook',
      creates: true,
      refusal: { body: async () => ({ ...aWebhook, status: 'revoked' }), status: 400, tag: 'webhook_invalid' },
    },
    'webhook/update': {
      body: async () => {
        const { webhook_id } = await data('/webhook/create', aWebhook);
        return { webhook_id, caption: 'changed', expected_revision: '1' };
      },
      resource: 'webhook',
      refusal: {
        body: async () => ({ webhook_id: 'nobodys', caption: 'changed', expected_revision: '1' }),
        status: 404,
        tag: 'webhook_not_found',
      },
    },
    'webhook/secret/rotate': {
      body: async () => {
        const { webhook_id } = await data('/webhook/create', aWebhook);
        return { webhook_id, expected_revision: '1' };
      },
      resource: 'webhook',
      refusal: {
        body: async () => ({ webhook_id: 'nobodys', expected_revision: '1' }),
        status: 404,
        tag: 'webhook_not_found',
      },
    },
    'webhook/status/set': {
      body: async () => {
        const { webhook_id } = await data('/webhook/create', aWebhook);
        return { webhook_id, status: 'paused', expected_revision: '1' };
      },
      resource: 'webhook',
      refusal: {
        body: async () => ({ webhook_id: 'nobodys', status: 'paused', expected_revision: '1' }),
        status: 404,
        tag: 'webhook_not_found',
      },
    },
    'webhook/delivery/retry': {
      body: async () => ({ delivery_id: await aDeadDelivery(data) }),
      resource: 'delivery',
      refusal: { body: async () => ({ delivery_id: 'nobodys' }), status: 404, tag: 'delivery_not_found' },
    },
    'webhook/replay': {
      body: async () => ({ webhook_id: (await data('/webhook/create', aWebhook)).webhook_id, to_utc: LONG_AGO }),
      resource: 'webhook',
      creates: true,
      refusal: { body: async () => ({ webhook_id: 'nobodys' }), status: 404, tag: 'webhook_not_found' },
    },
    'webhook/replay/start': {
      body: async () => ({ webhook_id: (await data('/webhook/create', aWebhook)).webhook_id, to_utc: LONG_AGO }),
      resource: 'replay',
      creates: true,
      refusal: { body: async () => ({ webhook_id: 'nobodys' }), status: 404, tag: 'webhook_not_found' },
    },
    'webhook/replay/cancel': {
      body: async () => ({ replay_id: await aReplayId() }),
      resource: 'replay',
      refusal: { body: async () => ({ replay_id: 'nobodys' }), status: 404, tag: 'replay_not_found' },
    },
  };

  const lastSeq = async (): Promise<string> =>
    (
      await api.database.asOwner<{ seq: string }>(
        'select coalesce(max(seq), 0)::text as seq from audit_event where orgcode = $1',
        [orgcode],
      )
    )[0]!.seq;
  const eventsSince = (seq: string): Promise<AuditedRow[]> =>
    api.database.asOwner('select * from audit_event where orgcode = $1 and seq > $2 order by seq', [orgcode, seq]);

  it('is told below for every write that is served', () => {
    const served = operationsOf(api.app).filter(({ options }) => options.write);
    expect(Object.keys(writes).sort()).toEqual(served.map(({ call }) => call).sort());
  });

  describe.each(Object.entries(writes))('%s', (call, { body, resource, creates, refusal }) => {
    const grounds = (): object => ({
      ...writeGrounds(orgcode, 'because of the spec'),
      source_refs: [
        { kind: 'ticket', id: '7' },
        { kind: 'mail', id: 'x' },
      ],
    });

    it('leaves exactly one event of what was done, why and on what grounds, and none when it is repeated', async () => {
      const request = { ...grounds(), ...(await body()) };
      const before = await lastSeq();
      const headers = {
        'x-request-id': `req-${call}`,
        'idempotency-key': `idem-${call}`,
        'x-cccode': 'cc-9',
        traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`,
      };
      const send = (): Promise<ApiAnswer> => api.call(`/${call}`, request, { orgcode, key, headers });
      expect((await send()).status).toBe(200);
      expect((await send()).headers['idempotent-replayed']).toBe('true');
      const events = await eventsSince(before);
      expect(events).toEqual([
        expect.objectContaining({
          event_type: call,
          outcome: 'done',
          error_tag: null,
          resource_type: resource,
          resource_id: expect.stringMatching(/./),
          before: creates ? null : expect.any(Object),
          after: expect.any(Object),
          reason: 'because of the spec',
          source_refs: [
            { kind: 'ticket', id: '7' },
            { kind: 'mail', id: 'x' },
          ],
          request_id: `req-${call}`,
          idempotency_key: `idem-${call}`,
          trace_id: 'c'.repeat(32),
          cccode: 'cc-9',
          claimed_actor: 'spec',
          actor: expect.stringMatching(/^api_key:/),
          roles: ['owner'],
          context_source: 'api_key',
          fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
        }),
      ]);
      expect(events[0]!.before).not.toEqual(events[0]!.after);
    });

    it('holds no secret that the answer shows once', async () => {
      const before = await lastSeq();
      const answer = await api.call(`/${call}`, { ...grounds(), ...(await body()) }, { orgcode, key });
      const { api_key, session_guid, signing_secret } = answer.body.data as Record<string, string | undefined>;
      const written = JSON.stringify(await eventsSince(before));
      for (const secret of [api_key, session_guid, signing_secret])
        expect(secret !== undefined && written.includes(secret)).toBe(false);
    });

    it('leaves an event of the refusal with its error tag, and no other', async () => {
      const request = { ...grounds(), ...(await refusal.body()) };
      const before = await lastSeq();
      const { status, body: answer } = await api.call(`/${call}`, request, {
        orgcode,
        key,
        headers: { 'x-request-id': `no-${call}` },
      });
      expect([status, answer.error?.error_code]).toEqual([refusal.status, refusal.tag]);
      expect(await eventsSince(before)).toEqual([
        expect.objectContaining({
          event_type: call,
          outcome: 'refused',
          error_tag: refusal.tag,
          request_id: `no-${call}`,
          after: null,
          actor: expect.stringMatching(/^api_key:/),
        }),
      ]);
    });

    it('leaves an event when the role is missing, before the body is read', async () => {
      const viewer = await api.aKey(orgcode, 'integration_view');
      const before = await lastSeq();
      const { status } = await api.send(
        `/${call}`,
        { orgcode, key: viewer, headers: { 'content-type': 'application/json' } },
        '{ no json',
      );
      expect(status).toBe(403);
      expect(await eventsSince(before)).toEqual([
        expect.objectContaining({
          event_type: call,
          outcome: 'refused',
          error_tag: 'role_required',
          roles: ['integration_view'],
        }),
      ]);
    });
  });

  it('leaves an event also when a read is refused for its role', async () => {
    const viewer = await api.aKey(orgcode, 'integration_view');
    const before = await lastSeq();
    expect((await api.call('/audit/list', {}, { orgcode, key: viewer })).status).toBe(403);
    expect(await eventsSince(before)).toEqual([
      expect.objectContaining({ event_type: 'audit/list', error_tag: 'role_required' }),
    ]);
  });

  it('believes nothing of what the body says about the caller', async () => {
    const before = await lastSeq();
    const request_context = {
      ...writeGrounds(orgcode).request_context,
      actor: 'root',
      roles: ['owner', 'god'],
      context_source: 'operator',
      api_key_fingerprint: 'forged',
    };
    await api.call(
      '/access/key/create',
      { ...writeGrounds(orgcode), request_context, roles: ['auditor'] },
      { orgcode, key },
    );
    expect(await eventsSince(before)).toEqual([
      expect.objectContaining({
        claimed_actor: 'root',
        actor: expect.stringMatching(/^api_key:/),
        roles: ['owner'],
        context_source: 'api_key',
        fingerprint: expect.not.stringMatching('forged'),
      }),
    ]);
  });
});
