import { WebhookTargets } from '../../src/webhook/webhook-targets.service.js';
import { TestApi } from '../support/api.js';
import { LOCAL_ENDPOINTS, tagsOf, WebhookOwner } from '../support/webhooks.js';

const SETTINGS = {
  timeout_ms: 2_000,
  payload_format: 'cloudevents',
  rate_limit: 20,
  retry_schedule: [0, 10, 60],
  ordering: 'key',
  ordering_skip_after: 3,
  auto_pause: { failures: 5, after_seconds: 600 },
};
const DEFAULTS = { timeout_ms: 15_000, payload_format: 'envelope', ordering: 'parallel' };

describe('webhook/update', () => {
  let api: TestApi;
  let owner: WebhookOwner;
  beforeAll(async () => (api = await TestApi.start(LOCAL_ENDPOINTS)));
  beforeEach(async () => (owner = await WebhookOwner.of(api)));
  afterAll(() => api.close());

  const update = (
    webhook: { webhook_id: string; revision: string },
    fields: object,
  ): ReturnType<WebhookOwner['write']> => owner.change('/webhook/update', webhook, fields);

  it('changes what is given, leaves the rest and makes a new revision', async () => {
    const before = (await owner.create({ headers: { 'x-environment': 'test' } })).body.data;
    const event_filters = [{ service: 'ics', payload_filter: { field: 'amount.value', gte: 100 } }];
    const changes = { caption: 'new', endpoint_url: 'http://127.0.0.1:8081/new', event_filters, rate_limit: 7 };
    const { status, body } = await update(before, changes);
    expect(status).toBe(200);
    const { updated_at, ...after } = body.data.webhook;
    expect({ ...after, updated_at: before.updated_at }).toEqual({
      ...before,
      ...changes,
      revision: '2',
      signing_secret: undefined,
    });
    expect(updated_at > before.updated_at).toBe(true);
    expect(body.revision).toBe('2');
    expect(await owner.get(before.webhook_id)).toMatchObject(body.data.webhook);
    expect(JSON.stringify(body)).not.toContain('whsec_');
  });

  it('takes every setting that create takes, shows it, and null puts it back', async () => {
    const born = (await owner.create({ ...SETTINGS, caption: 'a', headers: { 'x-a': '1' } })).body.data;
    expect(born).toMatchObject(SETTINGS);
    const plain = (await owner.create({ status: 'paused' })).body.data;
    expect(plain).toMatchObject(DEFAULTS);
    const changed = (await update(plain, SETTINGS)).body.data.webhook;
    expect(changed).toMatchObject(SETTINGS);
    const nothing = Object.fromEntries([...Object.keys(SETTINGS), 'caption', 'headers'].map((name) => [name, null]));
    const back = (await update(changed, nothing)).body.data.webhook;
    expect(back).toMatchObject(DEFAULTS);
    for (const gone of ['rate_limit', 'retry_schedule', 'ordering_skip_after', 'auto_pause', 'caption', 'headers'])
      expect(back).not.toHaveProperty(gone);
    const never = await update(back, { auto_pause: { never: true } });
    expect(never.body.data.webhook.auto_pause).toEqual({ never: true });
  });

  it('reaches who sends', async () => {
    const targets = api.app.get(WebhookTargets, { strict: false });
    const created = (await owner.create()).body.data;
    const { version } = await targets.ofOrganisation(owner.orgcode);
    const paused = (await owner.change('/webhook/status/set', created, { status: 'paused' })).body.data.webhook;
    await update(paused, {
      ...SETTINGS,
      headers: { authorization: 'Bearer t' },
      endpoint_url: 'http://127.0.0.1:9999/',
    });
    const now = await targets.ofOrganisation(owner.orgcode, version + 2n);
    expect(now.targets).toEqual([
      expect.objectContaining({
        timeoutMs: 2_000,
        payloadFormat: 'cloudevents',
        rateLimit: 20,
        retrySchedule: [0, 10, 60],
        ordering: 'key',
        orderingSkipAfter: 3,
        autoPause: SETTINGS.auto_pause,
        headers: { authorization: 'Bearer t' },
        endpointUrl: new URL('http://127.0.0.1:9999/'),
      }),
    ]);
  });

  it('does not blame another endpoint for what the one before did', async () => {
    const created = (await owner.create()).body.data;
    await api.database.asOwner(
      `insert into webhook_health (orgcode, lane, consecutive_failures, failing_since, not_before)
       select orgcode, lane, 9, now(), now() + interval '1 hour' from webhook where orgcode = $1`,
      [owner.orgcode],
    );
    const same = (await update(created, { caption: 'x' })).body.data.webhook;
    expect(same.consecutive_failures).toBe(9);
    const other = (await update(same, { endpoint_url: 'http://127.0.0.1:8082/' })).body.data.webhook;
    expect(other.consecutive_failures).toBe(0);
    const [row] = await api.database.asOwner('select not_before from webhook_health where orgcode = $1', [
      owner.orgcode,
    ]);
    expect(row).toEqual({ not_before: null });
  });

  it('changes the ordering of a paused webhook only, because deliveries under way would lose theirs', async () => {
    const created = (await owner.create()).body.data;
    const refused = await update(created, { ordering: 'key' });
    expect([refused.status, refused.body.error?.error_code]).toEqual([409, 'webhook_not_paused']);
    expect((await update(created, { ordering: 'parallel' })).status).toBe(200);
    const paused = await owner.change('/webhook/status/set', { ...created, revision: '2' }, { status: 'paused' });
    expect((await update(paused.body.data.webhook, { ordering: 'key' })).body.data.webhook.ordering).toBe('key');
  });

  it('changes nothing of a revoked one', async () => {
    const created = (await owner.create()).body.data;
    const revoked = (await owner.change('/webhook/status/set', created, { status: 'revoked' })).body.data.webhook;
    const refused = await update(revoked, { caption: 'x' });
    expect([refused.status, refused.body.error?.error_code]).toEqual([409, 'webhook_revoked']);
  });

  it.each([
    [{ endpoint_url: 'https://10.0.0.1/' }, 'endpoint_not_allowed', 'address_not_allowed'],
    [{ event_filters: [] }, 'webhook_invalid', 'empty'],
    [
      { event_filters: [{ service: 'a', payload_filter: { field: 'x', like: 'y' } }] },
      'webhook_invalid',
      'unknown_operation',
    ],
    [{ headers: { authorization: '[masked]' } }, 'webhook_invalid', 'masked'],
    [{ auto_pause: { never: true, failures: 3 } }, 'webhook_invalid', 'never_or_both_thresholds'],
    [{ auto_pause: { failures: 3 } }, 'webhook_invalid', 'never_or_both_thresholds'],
    [{ auto_pause: { never: false } }, 'webhook_invalid', 'never_or_both_thresholds'],
    [{ auto_pause: {} }, 'webhook_invalid', 'never_or_both_thresholds'],
    [{ retry_schedule: [] }, 'request_invalid', 'empty'],
    [{ retry_schedule: Array(21).fill(1) }, 'request_invalid', 'too_many'],
    [{ retry_schedule: [86_401] }, 'request_invalid', 'too_large'],
    [{ retry_schedule: [-1] }, 'request_invalid', 'too_small'],
    [{ rate_limit: 0 }, 'request_invalid', 'too_small'],
    [{ rate_limit: 10_001 }, 'request_invalid', 'too_large'],
    [{ payload_format: 'xml' }, 'request_invalid', 'not_one_of'],
    [{ ordering: 'strict' }, 'request_invalid', 'not_one_of'],
    [{ ordering_skip_after: 0 }, 'request_invalid', 'too_small'],
  ])('refuses %j, and changes nothing', async (fields, code, tag) => {
    const created = (await owner.create()).body.data;
    const refused = await update(created, { ...fields, caption: 'never' });
    expect([refused.status, refused.body.error?.error_code, tagsOf(refused)]).toEqual([400, code, [tag]]);
    expect(await owner.get(created.webhook_id)).toMatchObject({ revision: '1' });
  });

  it('answers 428 without a revision and 409 with a stale one, both with the webhook as it is', async () => {
    const created = (await owner.create()).body.data;
    const answers = [undefined, '7'].map((expected_revision) => update(created, { expected_revision, caption: 'x' }));
    const [missing, stale] = await Promise.all(answers);
    expect([missing!.status, stale!.status]).toEqual([428, 409]);
    for (const { body } of [missing!, stale!])
      expect(body.error).toMatchObject({ conflict_snapshot: { webhook_id: created.webhook_id, revision: '1' } });
  });

  it('lets exactly one of two concurrent writers win, against its own kind and against the others', async () => {
    const others = [
      ['/webhook/update', { caption: 'b' }],
      ['/webhook/status/set', { status: 'paused' }],
      ['/webhook/secret/rotate', {}],
    ] as const;
    for (const [path, fields] of others) {
      const created = (await owner.create()).body.data;
      const answers = await Promise.all([update(created, { caption: 'a' }), owner.change(path, created, fields)]);
      expect([path, answers.map(({ status }) => status).sort()]).toEqual([path, [200, 409]]);
    }
  });

  it('is 404 for what is not ours or nobody’s', async () => {
    const created = (await owner.create()).body.data;
    const other = await WebhookOwner.of(api);
    const foreign = await other.change('/webhook/update', created, { caption: 'x' });
    const unknown = await other.change('/webhook/update', { ...created, webhook_id: 'nobodys' }, { caption: 'x' });
    expect([foreign.status, foreign.body.error?.error_code]).toEqual([404, 'webhook_not_found']);
    expect(foreign.body.error?.minor).toEqual(unknown.body.error?.minor);
  });
});
