import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

describe('access/org/get and access/org/set', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  function set(settings: object, revision = '1'): Promise<ApiAnswer> {
    return api.call(
      '/access/org/set',
      { ...writeGrounds(orgcode), expected_revision: revision, ...settings },
      { orgcode, key },
    );
  }

  async function get(): Promise<Record<string, unknown>> {
    const { status, body } = await api.call('/access/org/get', {}, { orgcode, key });
    expect(status).toBe(200);
    return body.data.org;
  }

  it('starts with defaults and an integer id of its own', async () => {
    const first = await get();
    expect(first).toMatchObject({
      orgcode,
      time_zone: 'UTC',
      week_start: 'monday',
      catalog_policy: 'accept',
      limits: {},
      revision: '1',
    });
    expect(Number.isInteger(first.org_id)).toBe(true);
    ({ orgcode, key } = await api.anOwner());
    expect((await get()).org_id).not.toBe(first.org_id);
  });

  it('changes what is given, keeps the rest, and answers the new record with its revision', async () => {
    const { status, body } = await set({ caption: 'Café ✓', time_zone: 'Europe/Berlin' });
    expect(status).toBe(200);
    expect(body.revision).toBe('2');
    expect(body.data.org).toMatchObject({
      caption: 'Café ✓',
      time_zone: 'Europe/Berlin',
      week_start: 'monday',
      revision: '2',
    });
    await set({ week_start: 'sunday', catalog_policy: 'reject' }, '2');
    expect(await get()).toMatchObject({
      caption: 'Café ✓',
      time_zone: 'Europe/Berlin',
      week_start: 'sunday',
      catalog_policy: 'reject',
    });
  });

  it.each(['Mars/Olympus', '+02:00', '-0100', '', 'Europe', 'UTC; drop table'])(
    'refuses the time zone "%s"',
    async (time_zone) => {
      const { status } = await set({ time_zone });
      expect(status).toBe(400);
      expect(await get()).toMatchObject({ time_zone: 'UTC', revision: '1' });
    },
  );

  it.each([{ week_start: 'friday' }, { catalog_policy: 'maybe' }, { caption: 7 }, { caption: 'x'.repeat(257) }])(
    'refuses %j and names the field',
    async (settings) => {
      const { status, body } = await set(settings);
      expect(status).toBe(400);
      expect(body.error).toMatchObject({
        error_code: 'request_invalid',
        details: { fields: [{ path: Object.keys(settings)[0] }] },
      });
    },
  );

  it('leaves to the operator what is the operator’s: limits, id and code', async () => {
    const before = await get();
    const { status } = await set({ limits: { key: 1_000_000 }, org_id: 1, orgcode: 'another', caption: 'new' });
    expect(status).toBe(200);
    expect(await get()).toMatchObject({ limits: {}, org_id: before.org_id, orgcode });
  });
});
