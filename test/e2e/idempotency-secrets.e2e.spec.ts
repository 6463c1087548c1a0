import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { operationsOf } from '../support/operations.js';

const WEBHOOK = { endpoint_url: 'https://receiver.invalid/in', event_filters: [{ service: '*' }] };

interface SecretWrite {
  path: string;
  secret: string;
  request: object;
  /** What must be there first. */
  webhook_id?: string;
}

const SECRET_WRITES: SecretWrite[] = [
  { path: '/access/key/create', secret: 'api_key', request: { roles: ['integration_view'], caption: 'for the till' } },
  {
    path: '/access/session/open',
    secret: 'session_guid',
    request: { roles: ['integration_view'], actor: 'ada.lovelace' },
  },
  { path: '/bulk/import/create', secret: 'upload_url', request: {} },
  {
    path: '/webhook/create',
    secret: 'signing_secret',
    request: WEBHOOK,
  },
  {
    path: '/webhook/secret/rotate',
    secret: 'signing_secret',
    request: { webhook_id: 'rotated', expected_revision: '1' },
    webhook_id: 'rotated',
  },
];

describe('idempotent answers that hold a secret', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  async function call(
    { path, request, webhook_id }: SecretWrite,
    as: string | Record<string, string>,
  ): Promise<ApiAnswer> {
    if (webhook_id !== undefined)
      // once; later calls find it there
      await api.call('/webhook/create', { ...writeGrounds(orgcode), ...WEBHOOK, webhook_id }, { orgcode, key });
    const credential = typeof as === 'string' ? { 'x-api-key': as } : as;
    return api.call(
      path,
      { ...writeGrounds(orgcode), ...request, idempotency_key: 'k-1' },
      { orgcode, headers: credential },
    );
  }

  it('are those of every operation that says so', () => {
    const said = operationsOf(api.app).filter(({ options }) => options.secretAnswer);
    expect(said.map(({ path }) => path).sort()).toEqual(SECRET_WRITES.map(({ path }) => path));
  });

  it.each(SECRET_WRITES)(
    'are given again, secret included, to the credential that asked first: $path',
    async (write) => {
      const first = await call(write, key);
      const again = await call(write, key);
      expect(first.body.data[write.secret]).toEqual(expect.any(String));
      expect(again.headers['idempotent-replayed']).toBe('true');
      expect(again.body).toEqual(first.body);
    },
  );

  it.each(SECRET_WRITES)('are refused to every other credential, however mighty: $path', async (write) => {
    const first = await call(write, key);
    const otherKey = await api.aKey(orgcode, 'owner');
    const session = { ...writeGrounds(orgcode), actor: 'grace', roles: ['owner'] };
    const { body } = await api.call('/access/session/open', session, { orgcode, key });
    for (const credential of [otherKey, { 'x-session-guid': body.data.session_guid as string }]) {
      const answer = await call(write, credential);
      expect(answer).toMatchObject({ status: 409, body: { error: { error_code: 'idempotency_answer_sealed' } } });
      expect(JSON.stringify(answer.body)).not.toContain(first.body.data[write.secret]);
    }
  });

  it.each(SECRET_WRITES)('are unreadable in the table: $path', async (write) => {
    const { body } = await call(write, key);
    const [row] = await api.database.asOwner<{ sealed: boolean; answer: string }>(
      `select sealed, answer from idempotency_key where orgcode = $1`,
      [orgcode],
    );
    expect(row?.sealed).toBe(true);
    for (const readable of [body.data[write.secret], 'for the till', 'ada.lovelace', orgcode, 'stats', 'fingerprint'])
      expect(row?.answer).not.toContain(readable);
    const bytes = Buffer.from(row?.answer.split('.')[2] ?? '', 'base64url').toString('latin1');
    expect(bytes).not.toContain(body.data[write.secret]);
  });

  it('are bound to their place: moved to another key, route or organisation they open nowhere', async () => {
    const [create] = SECRET_WRITES;
    await call(create!, key);
    await api.database.asOwner(`update idempotency_key set key = 'moved' where orgcode = $1`, [orgcode]);
    const request = { ...writeGrounds(orgcode), ...create!.request, idempotency_key: 'moved' };
    const { status, body } = await api.call(create!.path, request, { orgcode, key });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toMatch(/decrypt|auth|cipher/i);
  });

  it('can be told from others: an answer without a secret is kept as it is', async () => {
    const request = { ...writeGrounds(orgcode), expected_revision: '1', caption: 'x', idempotency_key: 'k-2' };
    await api.call('/access/org/set', request, { orgcode, key });
    const [row] = await api.database.asOwner<{ sealed: boolean; answer: string }>(
      `select sealed, answer from idempotency_key where orgcode = $1`,
      [orgcode],
    );
    expect(row?.sealed).toBe(false);
    expect(JSON.parse(row?.answer ?? '')).toMatchObject({ data: { org: { caption: 'x' } } });
  });
});
