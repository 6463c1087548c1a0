import { TestApi, writeGrounds } from '../support/api.js';
import { operationsOf, type ServedOperation } from '../support/operations.js';

type Call = (path: string, body: object) => Promise<{ body: { data?: { webhook_id: string } } }>;
const WEBHOOK = { endpoint_url: 'https://receiver.invalid/in', event_filters: [{ service: '*' }] };

/** A body for each operation whose answer holds a secret, or how to come to one; one without a body here fails the test. */
const BODIES: Record<string, object | ((call: Call) => Promise<object>)> = {
  'access/key/create': { roles: ['integration_view'] },
  'access/session/open': { actor: 'somebody', roles: ['integration_view'] },
  'bulk/import/create': {},
  'webhook/create': WEBHOOK,
  'webhook/secret/rotate': async (call) => {
    const created = await call('/webhook/create', WEBHOOK);
    return { webhook_id: created.body.data?.webhook_id, expected_revision: '1' };
  },
};

/** Where those answers hold it. */
const SECRET_FIELDS = ['api_key', 'session_guid', 'signing_secret', 'upload_url'];

describe('an answer that holds a secret', () => {
  let api: TestApi;
  let secretOperations: ServedOperation[];
  beforeAll(async () => {
    api = await TestApi.start();
    secretOperations = operationsOf(api.app).filter(({ options }) => options.secretAnswer === true);
  });
  afterAll(() => api.close());

  it('comes from the operations that this spec knows', () => {
    expect(secretOperations.map(({ call }) => call)).toEqual(Object.keys(BODIES));
  });

  it.each(Object.keys(BODIES))('of %s is kept sealed, and the audit does not know it', async (call) => {
    const { orgcode, key } = await api.anOwner();
    const own = BODIES[call]!;
    const fields =
      typeof own === 'function'
        ? await own((path, body) => api.call(path, { ...body, ...writeGrounds(orgcode) }, { orgcode, key }))
        : own;
    const request = { ...fields, ...writeGrounds(orgcode), idempotency_key: `sealed-${call}` };
    const { status, body } = await api.call(`/${call}`, request, { orgcode, key });
    expect(status).toBe(200);
    const secrets = SECRET_FIELDS.map((field) => body.data[field] as string | undefined).filter(
      (text) => text !== undefined,
    );
    expect(secrets).toHaveLength(1);

    const stored = await api.database.asOwner<{ sealed: boolean; answer: string }>(
      'select sealed, answer from idempotency_key where orgcode = $1 and key = $2',
      [orgcode, request.idempotency_key],
    );
    expect(stored).toEqual([{ sealed: true, answer: expect.any(String) }]);
    expect(stored[0]!.answer).not.toContain('"data"');
    for (const table of ['idempotency_key', 'audit_event', 'api_key', 'session', 'webhook', 'event']) {
      const rows = await api.database.asOwner<{ row: string }>(
        `select t::text as row from ${table} t where orgcode = $1`, // bytea shows as hex, so look for both
        [orgcode],
      );
      const text = rows.map(({ row }) => row).join('\n');
      expect([table, text.includes(secrets[0]!)]).toEqual([table, false]);
      expect([table, text.includes(Buffer.from(secrets[0]!).toString('hex'))]).toEqual([table, false]);
    }

    const again = await api.call(`/${call}`, request, { orgcode, key });
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body.data).toEqual(body.data);
  });

  it('would be seen in the table if it were not sealed: other answers are kept as they are', async () => {
    const { orgcode, key } = await api.anOwner();
    const created = await api.call(
      '/access/key/create',
      { roles: ['integration_view'], ...writeGrounds(orgcode) },
      { orgcode, key },
    );
    const key_id = created.body.data.key.key_id as string;
    const request = { key_id, ...writeGrounds(orgcode), idempotency_key: 'open' };
    expect((await api.call('/access/key/revoke', request, { orgcode, key })).status).toBe(200);
    const stored = await api.database.asOwner<{ sealed: boolean; answer: string }>(
      'select sealed, answer from idempotency_key where orgcode = $1',
      [orgcode],
    );
    expect(stored).toEqual([{ sealed: false, answer: expect.stringContaining(key_id) }]);
  });
});
