import { TestApi } from '../support/api.js';
import { everyItem } from '../support/event-types.js';

describe('POST /ipm/pagination/get', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(() => api.close());

  it('answers the conventions, and the lists keep them', async () => {
    const owner = await api.anOwner();
    const { status, body } = await api.call('/pagination/get', {}, owner);
    expect(status).toBe(200);
    expect(body.data).toEqual({
      default_limit: 8,
      min_limit: 1,
      max_limit: 256,
      token_field: 'next_token',
      end_rule: expect.stringContaining('no next_token'),
      feed_rule: expect.stringContaining('always'),
    });
    const list = async (limit?: number): Promise<number> =>
      (await everyItem(api, '/event/catalog/list', owner, { limit })).pages[0]!;
    const { default_limit, min_limit } = body.data as Record<string, number>;
    expect([await list(), await list(0), await list(-5)]).toEqual([default_limit, min_limit, min_limit]);
  });

  it('may be asked without a body, by everybody who may look', async () => {
    const orgcode = await api.anOrg();
    for (const role of ['integration_view', 'integration_service', 'auditor'] as const) {
      const answer = await api.send('/pagination/get', { orgcode, key: await api.aKey(orgcode, role) });
      expect([role, answer.status]).toEqual([role, 200]);
    }
  });
});
