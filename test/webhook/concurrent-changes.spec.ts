import { Database } from '../../src/platform/database/database.js';
import { WebhookTargets } from '../../src/webhook/webhook-targets.service.js';
import { HeldLock, waiterOf } from '../support/held-lock.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

const ENVIRONMENT = { WEBHOOK_ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8', IPM_ROLE: 'api' };
const AT_ONCE = 50;
const NEIGHBOURS = 10;

interface Owner {
  orgcode: string;
  key: string;
}

describe('changes of webhooks at the same time', () => {
  let api: TestApi;
  let owner: Owner;
  beforeAll(async () => (api = await TestApi.start(ENVIRONMENT)));
  beforeEach(async () => (owner = await api.anOwner()));
  afterAll(() => api.close());

  const call = ({ orgcode, key }: Owner, path: string, fields: object): Promise<ApiAnswer> =>
    api.call(path, { ...writeGrounds(orgcode), ...fields }, { orgcode, key });
  const create = (of: Owner, webhook_id: string): Promise<ApiAnswer> =>
    call(of, '/webhook/create', {
      webhook_id,
      endpoint_url: 'http://127.0.0.1:8080/in',
      event_filters: [{ service: 'pos' }],
    });
  const set = (of: Owner, webhook_id: string, status: string, expected_revision = '1'): Promise<ApiAnswer> =>
    call(of, '/webhook/status/set', { webhook_id, status, expected_revision });
  const statusesOf = (answers: readonly ApiAnswer[]): number[] => [...new Set(answers.map(({ status }) => status))];
  const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `whk_${i}`);
  /** As routing sees them: by the version that its transaction reads. */
  const routed = ({ orgcode }: Owner): Promise<Record<string, string>> =>
    api.app.get(Database).plainAcross('webhook targets', async (tx) => {
      const targets = api.app.get(WebhookTargets, { strict: false });
      const set = await targets.ofOrganisation(orgcode, await targets.version(tx, orgcode), tx);
      return Object.fromEntries(set.targets.map(({ webhookId, status }) => [webhookId, status]));
    });

  it('all get through, in one organisation and beside others, and routing sees each', async () => {
    const neighbours = await Promise.all(Array.from({ length: NEIGHBOURS }, () => api.anOwner()));
    const created = await Promise.all([
      ...names(AT_ONCE).map((name) => create(owner, name)),
      ...neighbours.map((neighbour) => create(neighbour, 'whk_0')),
    ]);
    expect(statusesOf(created)).toEqual([200]);
    expect(await routed(owner)).toEqual(Object.fromEntries(names(AT_ONCE).map((name) => [name, 'active'])));

    const [paused, kept] = [names(AT_ONCE).slice(0, AT_ONCE / 2), names(AT_ONCE).slice(AT_ONCE / 2)];
    const changed = await Promise.all([
      ...paused.map((name) => set(owner, name, 'paused')),
      ...kept.map((name) => call(owner, '/webhook/update', { webhook_id: name, caption: 'x', expected_revision: '1' })),
      ...neighbours.map((neighbour) => set(neighbour, 'whk_0', 'paused')),
      create(owner, 'whk_last'),
    ]);
    expect(statusesOf(changed)).toEqual([200]);
    expect(await routed(owner)).toEqual({
      ...Object.fromEntries(paused.map((name) => [name, 'paused'])),
      ...Object.fromEntries(kept.map((name) => [name, 'active'])),
      whk_last: 'active',
    });
    for (const neighbour of neighbours) expect(await routed(neighbour)).toEqual({ whk_0: 'paused' });
    const versions = await api.database.asOwner<{ version: string }>(
      'select version from webhook_roll where orgcode = $1',
      [owner.orgcode],
    );
    expect(versions).toEqual([{ version: String(2 * AT_ONCE + 1) }]);
  });

  it('keep nobody waiting who changes another webhook, while one of them waits for the router', async () => {
    for (const name of ['whk_a', 'whk_b']) expect((await create(owner, name)).status).toBe(200);
    const router = await HeldLock.take(api.database, 'select from router_cursor where orgcode = $1 for update', [
      owner.orgcode,
    ]);
    const order: string[] = [];
    const pausing = set(owner, 'whk_a', 'paused').finally(() => order.push('paused'));
    await waiterOf(api.database);
    const update = { webhook_id: 'whk_b', caption: 'x', expected_revision: '1' };
    const updated = await call(owner, '/webhook/update', update).finally(() => order.push('updated'));
    await router.release();
    expect([updated.status, (await pausing).status]).toEqual([200, 200]);
    expect(order).toEqual(['updated', 'paused']);
    expect(await routed(owner)).toEqual({ whk_a: 'paused', whk_b: 'active' });
  });
});
