import { TestApi, writeGrounds } from '../support/api.js';
import { ROLES, type Role } from '../../src/platform/http/roles.js';

interface Item {
  seq: string;
  event_type: string;
  outcome: string;
  actor: string;
  resource_id?: string;
}

describe('POST /ipm/audit/list', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  let other: string;
  let revokedId: string;

  beforeAll(async () => {
    api = await TestApi.start();
    ({ orgcode, key } = await api.anOwner());
    other = await api.aKey(orgcode, 'owner');
    const create = async (by: string): Promise<string> =>
      (await api.call('/access/key/create', { ...writeGrounds(orgcode), roles: ['auditor'] }, { orgcode, key: by }))
        .body.data.key.key_id;
    for (const by of [key, other, key]) revokedId = await create(by);
    await api.call('/access/key/revoke', { ...writeGrounds(orgcode), key_id: revokedId }, { orgcode, key: other });
    await api.call('/access/key/revoke', { ...writeGrounds(orgcode), key_id: 'nobody' }, { orgcode, key });
  });
  afterAll(() => api.close());

  const list = async (request: object = {}): Promise<{ items: Item[]; next_token?: object }> =>
    (await api.call('/audit/list', request, { orgcode, key })).body.data;
  const everything = (): Promise<{ items: Item[] }> => list({ limit: 256 });

  it('lists newest first, numbered without gaps down to 1', async () => {
    const { items } = await everything();
    expect(items.map(({ seq }) => Number(seq))).toEqual(
      Array.from({ length: items.length }, (_, i) => items.length - i),
    );
    expect(items.at(-1)!.event_type).toBe('access/org/create');
  });

  it.each<[string, (item: Item) => object, (item: Item, of: Item) => boolean]>([
    ['event_type', ({ event_type }) => ({ event_type }), (item, of) => item.event_type === of.event_type],
    ['actor', ({ actor }) => ({ actor }), (item, of) => item.actor === of.actor],
    ['outcome', ({ outcome }) => ({ outcome }), (item, of) => item.outcome === of.outcome],
    [
      'resource',
      ({ resource_id }) => ({ resource_type: 'api_key', resource_id }),
      (item, of) => item.resource_id === of.resource_id,
    ],
    [
      'all at once',
      ({ actor, event_type, outcome }) => ({ actor, event_type, outcome }),
      (item, of) => item.actor === of.actor && item.event_type === of.event_type && item.outcome === of.outcome,
    ],
  ])('filters by %s', async (_name, filters, passes) => {
    const { items } = await everything();
    const wanted = items.find(
      ({ resource_id, event_type }) => resource_id === revokedId && event_type === 'access/key/revoke',
    )!;
    const expected = items.filter((item) => passes(item, wanted));
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan(items.length);
    expect((await list({ ...filters(wanted), limit: 256 })).items).toEqual(expected);
  });

  it('lists nothing where no event passes, and takes a filter literally', async () => {
    for (const actor of ['nobody', '%', 'api_key:%', "' or true --"])
      expect(await list({ actor })).toEqual({ items: [] });
  });

  it('refuses an outcome that does not exist', async () => {
    const { status, body } = await api.call('/audit/list', { outcome: 'maybe' }, { orgcode, key });
    expect([status, body.error?.details]).toEqual([400, { fields: [{ path: 'outcome', tag: 'not_one_of' }] }]);
  });

  it('shows what was refused with its tag and without a resource', async () => {
    const { items } = await list({ outcome: 'refused' });
    expect(items[0]).toMatchObject({
      event_type: 'access/key/revoke',
      outcome: 'refused',
      error_tag: 'api_key_not_found',
      reason: 'a spec asks for it',
    });
    expect(items[0]).not.toHaveProperty('resource_id');
  });

  it.each(
    ROLES.map((role): [Role, number] => [role, ['owner', 'integration_admin', 'auditor'].includes(role) ? 200 : 403]),
  )('answers %s with %i', async (role, status) => {
    const answer = await api.call('/audit/list', {}, { orgcode, key: await api.aKey(orgcode, role) });
    expect(answer.status).toBe(status);
    expect(answer.body.error?.details).toEqual(status === 200 ? undefined : { required_role: 'audit' });
  });
});
