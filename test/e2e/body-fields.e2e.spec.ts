import { TestApi, writeGrounds } from '../support/api.js';

describe('fields of bodies', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  describe('that are a page size', () => {
    beforeEach(async () => {
      for (let i = 0; i < 9; i += 1) await api.aKey(orgcode, 'integration_view');
    });

    it.each([
      [undefined, 8],
      [null, 8],
      [0, 1],
      [-1, 1],
      [-9007199254740991, 1],
      [1, 1],
      [9, 9],
      [256, 10],
      [257, 10],
      [9007199254740991, 10],
    ])('of %p get %p of ten', async (limit, count) => {
      const { status, body } = await api.call('/access/key/list', { limit }, { orgcode, key });
      expect(status).toBe(200);
      expect(body.data.items).toHaveLength(count);
    });

    it.each(['5', '', 2.5, true, [], {}, [5]])('of %j are 400', async (limit) => {
      const { status, body } = await api.call('/access/key/list', { limit }, { orgcode, key });
      expect(status).toBe(400);
      expect(body.error?.details).toEqual({ fields: [{ path: 'limit', tag: 'not_an_integer' }] });
    });
  });

  describe('that are a time', () => {
    const year = new Date().getUTCFullYear() + 1;
    it.each([
      [`${year}-06-01T10:00:00Z`, `${year}-06-01T10:00:00.000Z`],
      [`${year}-06-01T10:00:00+02:00`, `${year}-06-01T08:00:00.000Z`],
      [`${year}-06-01t10:00:00.5z`, `${year}-06-01T10:00:00.500Z`],
      ['2096-02-29T00:00:00-00:30', '2096-02-29T00:30:00.000Z'],
      ['2200-12-31T23:59:59Z', '2200-12-31T23:59:59.000Z'],
    ])('%s is %s', async (expires_at, stored) => {
      const { status, body } = await api.call(
        '/access/key/create',
        { ...writeGrounds(orgcode), roles: ['integration_view'], expires_at },
        { orgcode, key },
      );
      expect(status).toBe(200);
      expect(body.data.key.expires_at).toBe(stored);
    });

    it.each([
      `${year}-06-01`,
      `${year}-06-01T10:00:00`,
      `${year}-02-30T10:00:00Z`,
      '2100-02-29T00:00:00Z',
      `${year}-06-01T24:00:00Z`,
      `${year}-06-01T10:00:60Z`,
      '2201-01-01T00:00:00Z',
      '1969-12-31T23:59:59Z',
      `${year}-06-01 10:00:00Z`,
      `${year}-06-01T10:00:00+24:00`,
      'now',
      4_102_444_800_000,
    ])('%s is none', async (expires_at) => {
      const { status, body } = await api.call(
        '/access/key/create',
        { ...writeGrounds(orgcode), roles: ['integration_view'], expires_at },
        { orgcode, key },
      );
      expect(status).toBe(400);
      expect(body.error?.details).toEqual({ fields: [{ path: 'expires_at', tag: 'not_a_time' }] });
    });
  });

  it('that are lists of objects hold objects and no lists', async () => {
    for (const source_refs of [[[{ kind: 'a', id: 'b' }]], [[[]], []], [5], ['x']]) {
      const request = { ...writeGrounds(orgcode), source_refs, roles: ['auditor'] };
      const { status, body } = await api.call('/access/key/create', request, { orgcode, key });
      expect([status, body.error?.details]).toEqual([400, { fields: [{ path: 'source_refs', tag: 'not_an_object' }] }]);
    }
  });

  it.each(['line\nbreak', 'api_key:abc', 'cli:root', '\u0085', ''])(
    'refuses %j as the actor of a session',
    async (actor) => {
      const request = { ...writeGrounds(orgcode), actor, roles: ['auditor'] };
      const { status, body } = await api.call('/access/session/open', request, { orgcode, key });
      expect([status, body.error?.details]).toEqual([400, { fields: [{ path: 'actor', tag: 'not_an_actor' }] }]);
    },
  );
});
