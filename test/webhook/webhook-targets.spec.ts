import { Database } from '../../src/platform/database/database.js';
import { log } from '../../src/platform/telemetry/logger.js';
import {
  FilteredEventView,
  WebhookTargets,
  type WebhookTarget,
  type WebhookTargetSet,
} from '../../src/webhook/webhook-targets.service.js';
import { TestApi, writeGrounds } from '../support/api.js';

const ENVIRONMENT = { WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' };

describe('targets', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  let targets: WebhookTargets;
  beforeAll(async () => (api = await TestApi.start(ENVIRONMENT)));
  beforeEach(async () => {
    ({ orgcode, key } = await api.anOwner());
    targets = api.app.get(WebhookTargets, { strict: false });
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => api.close());

  const call = async (path: string, fields: object): Promise<Record<string, string>> => {
    const answer = await api.call(path, { ...writeGrounds(orgcode), ...fields }, { orgcode, key });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer.body.data;
  };
  const create = (fields: object = {}): Promise<Record<string, string>> =>
    call('/webhook/create', {
      endpoint_url: 'http://127.0.0.1:8080/in',
      event_filters: [{ service: 'pos', actions: ['basket.*'], payload_filter: { field: 'total', gte: 100 } }],
      ...fields,
    });
  const version = (): Promise<bigint> =>
    api.app.get(Database).plainAcross('webhook targets', (tx) => targets.version(tx, orgcode));
  const now = async (): Promise<WebhookTargetSet> => targets.ofOrganisation(orgcode, await version());
  const only = async (): Promise<WebhookTarget> => {
    const { targets: all } = await now();
    expect(all).toHaveLength(1);
    return all[0]!;
  };

  it('hold what is needed to send: opened secret and headers, settings, and the place where they begin', async () => {
    const { webhook_id, signing_secret } = await create({ headers: { 'X-Api-Key': 'open sesame' }, timeout_ms: 700 });
    const target = await only();
    expect(target).toMatchObject({
      orgcode,
      webhookId: webhook_id,
      status: 'active',
      activation: 1,
      gaps: [],
      headers: { 'X-Api-Key': 'open sesame' },
      timeoutMs: 700,
      payloadFormat: 'envelope',
      rateLimit: null,
      retrySchedule: null,
      ordering: 'parallel',
      orderingSkipAfter: null,
      autoPause: null,
    });
    expect(target.secrets).toEqual([signing_secret]);
    expect(target.endpointUrl.href).toBe('http://127.0.0.1:8080/in');
    expect(typeof target.startPosition).toBe('bigint');
    expect(JSON.stringify(Object.keys(target))).not.toContain('ealed');
    const event = { service: 'pos', action: 'basket.closed', channelCode: null, logicalGuid: null };
    const sold = (total: number): FilteredEventView =>
      new FilteredEventView({ ...event, envelope: JSON.stringify({ payload: { total } }) });
    expect([100, 99].map((total) => target.filters(sold(total)))).toEqual([true, false]);
    expect(targets.byLane(target.lane)).toBe(target);
  });

  it('are read again after every write to a webhook, and not otherwise', async () => {
    expect(await version()).toBe(0n);
    expect(await now()).toEqual({ version: 0n, targets: [] });
    const created = await create();
    const first = await now();
    expect([first.version, first.targets.length]).toEqual([1n, 1]);
    expect(await now()).toBe(first);
    const paused = { webhook_id: created.webhook_id, status: 'paused', expected_revision: '1' };
    await call('/webhook/status/set', paused);
    expect(await only()).toMatchObject({ status: 'paused' });
    await call('/webhook/status/set', { ...paused, status: 'revoked', expected_revision: '2' });
    const [{ lane }] = first.targets as [WebhookTarget];
    expect(await now()).toEqual({ version: 3n, targets: [] });
    expect(targets.byLane(lane)).toBeUndefined();
    expect(await targets.ofOrganisation(orgcode, 1n)).toEqual({ version: 3n, targets: [] });
  });

  it('that did not change are not opened again when another one did', async () => {
    const [first, second] = [await create(), await create()];
    const before = await now();
    const of = (set: WebhookTargetSet, { webhook_id }: Record<string, string>): WebhookTarget =>
      set.targets.find(({ webhookId }) => webhookId === webhook_id)!;
    await call('/webhook/update', { webhook_id: second.webhook_id, timeout_ms: 700, expected_revision: '1' });
    const after = await now();
    expect(of(after, first)).toBe(of(before, first));
    expect([of(before, second).timeoutMs, of(after, second).timeoutMs]).toEqual([15_000, 700]);
    for (const target of after.targets) expect(targets.byLane(target.lane)).toBe(target);
  });

  it('that a slow reader brings late do not push out newer ones', async () => {
    const { webhook_id } = await create();
    const database = api.app.get(Database);
    const read = database.plainAcross.bind(database);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let isRead = (): void => undefined;
    const reading = new Promise<void>((resolve) => (isRead = resolve));
    jest.spyOn(database, 'plainAcross').mockImplementationOnce(async (reason, work) => {
      const found = await read(reason, work);
      isRead();
      await held;
      return found;
    });
    const slow = targets.ofOrganisation(orgcode);
    await reading;
    await call('/webhook/status/set', { webhook_id, status: 'paused', expected_revision: '1' });
    const newer = await now();
    release();
    expect(await slow).toBe(newer);
    expect(targets.byLane(newer.targets[0]!.lane)).toMatchObject({ status: 'paused' });
  });

  it('that changed are found again by a refresh, and the others stay as they are', async () => {
    const other = { orgcode, key };
    await create();
    const stays = await now();
    ({ orgcode, key } = await api.anOwner());
    const { webhook_id } = await create();
    const { lane } = await only();
    await call('/webhook/status/set', { webhook_id, status: 'paused', expected_revision: '1' });
    expect(targets.byLane(lane)).toMatchObject({ status: 'active' });
    await targets.refresh([orgcode, other.orgcode, 'nobody']);
    expect(targets.byLane(lane)).toMatchObject({ status: 'paused' });
    expect(await targets.ofOrganisation(other.orgcode, stays.version)).toBe(stays);
  });

  it('are known by lane after a refresh that never heard of their organisation', async () => {
    await create();
    const { lane } = await only();
    const process = await TestApi.startOn(api.database, ENVIRONMENT);
    try {
      const fresh = process.app.get(WebhookTargets, { strict: false });
      expect(fresh.byLane(lane)).toBeUndefined();
      await fresh.refresh([orgcode]);
      expect(fresh.byLane(lane)).toMatchObject({ orgcode });
    } finally {
      await process.app.close();
    }
  });

  it('are read in the transaction that is given, without another connection', async () => {
    await create();
    const database = api.app.get(Database);
    await database.plainAcross('webhook targets', async (tx) => {
      const version = await targets.version(tx, orgcode);
      const reads = jest.spyOn(tx, 'rows');
      const { targets: all } = await targets.ofOrganisation(orgcode, version + 1n, tx); // one that nobody has read yet
      expect([all.length, reads.mock.calls.map(([name]) => name)]).toEqual([1, ['webhook sets']]);
    });
  });

  it('whose secret cannot be opened have none, are told of once, and do not sink the others', async () => {
    const { webhook_id } = await create();
    await create();
    const bump = (change: string): Promise<unknown> =>
      api.database.asOwner(`with w as (${change} returning orgcode)
        update webhook_roll set version = version + 1 where orgcode in (select orgcode from w)`);
    const error = jest.spyOn(log, 'error').mockImplementation(() => undefined);
    for (let i = 0; i < 2; i += 1) {
      await bump(`update webhook set secret_sealed = 'v1.gone.AAAA' where webhook_id = '${webhook_id}'`);
      const { targets: all } = await now();
      expect(all.map(({ secrets }) => secrets.length)).toEqual([0, 1]);
    }
    expect(error).toHaveBeenCalledTimes(1);
  });
});
