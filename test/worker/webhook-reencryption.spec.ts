import { WebhookReencryption } from '../../src/webhook/webhook-reencryption.service.js';
import { TestApi, writeGrounds } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { asOperator, askRuns, WITH_OPERATOR } from '../support/operation-runs.js';
import { LOCAL_ENDPOINTS, WebhookOwner } from '../support/webhooks.js';

const keyOf = (kid: string, byte: number): string => `${kid}:${Buffer.alloc(32, byte).toString('base64')}`;
const [OLD, NEW] = [keyOf('k1', 7), keyOf('k2', 8)];

describe('re-encryption of secrets', () => {
  let database: TestDatabase;
  let api: TestApi;
  const started: TestApi[] = [];
  const startWith = async (IPM_ENCRYPTION_KEYS: string): Promise<TestApi> => {
    const one = await TestApi.startOn(database, { ...WITH_OPERATOR, IPM_ENCRYPTION_KEYS, ...LOCAL_ENDPOINTS });
    started.push(one);
    return one;
  };
  beforeEach(async () => {
    database = await testDatabase();
    api = await startWith(OLD);
  });
  afterEach(async () => {
    for (const { app } of started.splice(0)) await app.close();
    await database.drop();
  });

  const reencryption = (of: TestApi): WebhookReencryption => of.app.get(WebhookReencryption, { strict: false });
  const seals = async (): Promise<string[]> => {
    const rows = await database.asOwner<{ seal: string }>(
      `select split_part(t, '.', 2) as seal from webhook, unnest(array[secret_sealed, previous_secret_sealed, headers_sealed]) t
       where t is not null order by 1`,
    );
    return rows.map(({ seal }) => seal);
  };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- its document has checked it
  const runs = async (of: TestApi): Promise<any[]> =>
    (await askRuns(of, '?type=secret_reencryption&limit=50', asOperator)).body.data;

  it('puts everything that is sealed of webhooks under the newest key, after which the old one may go', async () => {
    const owner = await WebhookOwner.of(api);
    const webhook = (await owner.create({ headers: { 'x-shop': 'seven' } })).body.data;
    await owner.create();
    await owner.change('/webhook/secret/rotate', webhook);
    expect(await seals()).toEqual(['k1', 'k1', 'k1', 'k1']);
    const rotated = await startWith(`${NEW},${OLD}`);
    expect(await reencryption(rotated).run()).toBe(true);
    expect(await seals()).toEqual(['k2', 'k2', 'k2', 'k2']);
    const [run] = await runs(rotated);
    expect(run).toMatchObject({
      type: 'secret_reencryption',
      type_label: 'Re-encryption of secrets',
      status: 'completed',
      outcome: 'succeeded',
      operator_message: 'All secrets of webhooks are under the newest key.',
    });
    expect(run).not.toHaveProperty('tenant_id');
    expect((await askRuns(rotated, `/${run.id}`, asOperator)).body.summary_counts).toEqual({
      webhooks: 2,
      unreadable: 0,
    });
    const alone = await startWith(NEW);
    const { body } = await alone.call('/webhook/get', { webhook_id: webhook.webhook_id }, owner);
    expect(body.data.webhook).toMatchObject({
      webhook_id: webhook.webhook_id,
      headers: { 'x-shop': expect.any(String) },
    });
    expect(webhook.signing_secret).toMatch(/^whsec_/);
  });

  it('changes no revision and leaves nothing behind to be seen', async () => {
    const owner = await WebhookOwner.of(api);
    const { webhook_id } = (await owner.create({ headers: { 'x-shop': 'seven' } })).body.data;
    const before = (await owner.call('/webhook/get', { webhook_id })).body.data;
    const rotated = await startWith(`${NEW},${OLD}`);
    await reencryption(rotated).run();
    const after = await rotated.call('/webhook/get', { webhook_id }, owner);
    expect(after.body.data).toEqual(before);
  });

  it('has nothing to do, and makes no run, where nothing is sealed by another key', async () => {
    await (await WebhookOwner.of(api)).create();
    expect(await reencryption(api).run()).toBe(false);
    expect(await runs(api)).toEqual([]);
  });

  it('does each once when two workers are at it', async () => {
    const owner = await WebhookOwner.of(api);
    for (let i = 0; i < 5; i += 1) await owner.create();
    const [one, two] = [await startWith(`${NEW},${OLD}`), await startWith(`${NEW},${OLD}`)];
    const outcomes = await Promise.all([reencryption(one).run(), reencryption(two).run()]);
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect((await runs(one)).map(({ outcome }) => outcome)).toEqual(['succeeded']);
    expect(new Set(await seals())).toEqual(new Set(['k2']));
  });

  it('says what it cannot open, and does the others all the same', async () => {
    const owner = await WebhookOwner.of(api);
    const { webhook_id } = (await owner.create()).body.data;
    await owner.create();
    await database.asOwner(`update webhook set secret_sealed = 'v1.lost.AAAA' where webhook_id = $1`, [webhook_id]);
    const rotated = await startWith(`${NEW},${OLD}`);
    expect(await reencryption(rotated).run()).toBe(true);
    expect(await seals()).toEqual(['k2', 'lost']);
    const [run] = await runs(rotated);
    const { body } = await askRuns(rotated, `/${run.id}`, asOperator);
    expect(body).toMatchObject({
      outcome: 'partially_succeeded',
      summary_counts: { webhooks: 1, unreadable: 1 },
      failure_summary: [{ code: 'secrets_unreadable', message: expect.stringContaining('IPM_ENCRYPTION_KEYS') }],
    });
    expect(JSON.stringify(body)).not.toContain(webhook_id);
  });

  it('does not put back a secret that is rotated meanwhile', async () => {
    const owner = await WebhookOwner.of(api);
    const webhook = (await owner.create()).body.data;
    const rotated = await startWith(`${NEW},${OLD}`);
    const grounds = writeGrounds(owner.orgcode);
    const [, answer] = await Promise.all([
      reencryption(rotated).run(),
      rotated.call(
        '/webhook/secret/rotate',
        { ...grounds, webhook_id: webhook.webhook_id, expected_revision: webhook.revision, overlap_seconds: 0 },
        owner,
      ),
    ]);
    expect(answer.status).toBe(200);
    const [row] = await database.asOwner<{ last4: string; sealed: string }>(
      'select secret_last4 as last4, secret_sealed as sealed from webhook',
    );
    expect(answer.body.data.signing_secret.endsWith(row!.last4)).toBe(true);
    expect(row!.sealed.startsWith('v1.k2.')).toBe(true);
  });
});
