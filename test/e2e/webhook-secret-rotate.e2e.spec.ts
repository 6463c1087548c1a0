import { WebhookTargets } from '../../src/webhook/webhook-targets.service.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { LOCAL_ENDPOINTS, tagsOf, WebhookOwner } from '../support/webhooks.js';

const DAY_MS = 86_400_000;

describe('webhook/secret/rotate', () => {
  let api: TestApi;
  let owner: WebhookOwner;
  beforeAll(async () => (api = await TestApi.start(LOCAL_ENDPOINTS)));
  beforeEach(async () => (owner = await WebhookOwner.of(api)));
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => api.close());

  const rotate = (webhook: { webhook_id: string; revision: string }, fields: object = {}): Promise<ApiAnswer> =>
    owner.change('/webhook/secret/rotate', webhook, fields);
  const secretsThatSign = async (): Promise<readonly string[]> => {
    const { targets } = await api.app.get(WebhookTargets, { strict: false }).ofOrganisation(owner.orgcode);
    return targets[0]!.secrets;
  };

  it('shows the new secret once; both sign for a day, then the new one alone', async () => {
    const created = (await owner.create()).body.data;
    const { status, body } = await rotate(created);
    expect(status).toBe(200);
    const { signing_secret, ...webhook } = body.data;
    expect(signing_secret).toMatch(/^whsec_/);
    expect(signing_secret).not.toBe(created.signing_secret);
    expect(webhook).toMatchObject({ revision: '2', secret_last4: signing_secret.slice(-4) });
    const endsMs = Date.parse(webhook.previous_secret_expires_at);
    expect(Math.abs(endsMs - Date.now() - DAY_MS)).toBeLessThan(60_000);
    expect(await owner.get(created.webhook_id)).toMatchObject(webhook);

    expect(await secretsThatSign()).toEqual([signing_secret, created.signing_secret]);
    jest.spyOn(Date, 'now').mockReturnValue(endsMs);
    expect(await secretsThatSign()).toEqual([signing_secret]);
    const rows = await api.database.asOwner<{ row: string }>('select t::text as row from webhook t');
    expect(rows.map(({ row }) => row).join()).not.toContain(signing_secret.slice(6, 40));
  });

  it('holds to the end of the overlap also where the targets were read before it', async () => {
    const created = (await owner.create()).body.data;
    const { signing_secret } = (await rotate(created, { overlap_seconds: 100 })).body.data;
    const { targets } = await api.app.get(WebhookTargets, { strict: false }).ofOrganisation(owner.orgcode);
    expect(targets[0]!.secrets).toHaveLength(2);
    const later = Date.now() + 101_000;
    jest.spyOn(Date, 'now').mockReturnValue(later);
    expect(targets[0]!.secrets).toEqual([signing_secret]);
  });

  it('ends the previous secret at once where there is no overlap', async () => {
    const created = (await owner.create()).body.data;
    const { signing_secret, ...webhook } = (await rotate(created, { overlap_seconds: 0 })).body.data;
    expect(webhook).not.toHaveProperty('previous_secret_expires_at');
    expect(await secretsThatSign()).toEqual([signing_secret]);
  });

  it('in the middle of an overlap keeps the last two', async () => {
    const created = (await owner.create()).body.data;
    const second = (await rotate(created)).body.data;
    const third = (await rotate(second)).body.data;
    expect(await secretsThatSign()).toEqual([third.signing_secret, second.signing_secret]);
  });

  it('ends an overlap early without a new secret', async () => {
    const created = (await owner.create()).body.data;
    const rotated = (await rotate(created)).body.data;
    const { status, body } = await rotate(rotated, { expire_previous: true });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ revision: '3', secret_last4: rotated.secret_last4 });
    expect(body.data).not.toHaveProperty('signing_secret');
    expect(body.data).not.toHaveProperty('previous_secret_expires_at');
    expect(await secretsThatSign()).toEqual([rotated.signing_secret]);
  });

  it('says in the log that there is a new secret and until when the old one signs', async () => {
    const created = (await owner.create()).body.data;
    const rotated = (await rotate(created)).body.data;
    await rotate(rotated, { expire_previous: true });
    const said = (await owner.ownEvents()).filter(({ action }) => action === 'webhook.secret_rotated');
    expect(said.map(({ payload }) => payload)).toEqual([
      {
        webhook_id: created.webhook_id,
        previous_secret_expires_at: rotated.previous_secret_expires_at,
        revision: '2',
      },
    ]);
  });

  it.each([
    [{ overlap_seconds: 604_801 }, 'request_invalid', 'too_large'],
    [{ overlap_seconds: -1 }, 'request_invalid', 'too_small'],
    [{ expire_previous: true, overlap_seconds: 5 }, 'webhook_invalid', 'not_with_expire_previous'],
  ])('refuses %j', async (fields, code, tag) => {
    const refused = await rotate((await owner.create()).body.data, fields);
    expect([refused.status, refused.body.error?.error_code, tagsOf(refused)]).toEqual([400, code, [tag]]);
  });

  it('is refused of a revoked webhook, a stale revision and somebody else’s', async () => {
    const created = (await owner.create()).body.data;
    const stale = await rotate({ ...created, revision: '7' });
    expect([stale.status, stale.body.error?.conflict_snapshot]).toEqual([
      409,
      expect.objectContaining({ revision: '1' }),
    ]);
    expect((await rotate(created, { expected_revision: undefined })).status).toBe(428);
    const other = await WebhookOwner.of(api);
    expect((await other.change('/webhook/secret/rotate', created)).status).toBe(404);
    const revoked = (await owner.change('/webhook/status/set', created, { status: 'revoked' })).body.data.webhook;
    expect((await rotate(revoked)).body.error?.error_code).toBe('webhook_revoked');
  });

  it('gives one of two concurrent callers a secret', async () => {
    const created = (await owner.create()).body.data;
    const answers = await Promise.all([rotate(created), rotate(created)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(JSON.stringify(answers.find(({ status }) => status === 409)!.body)).not.toContain('whsec_');
  });
});
