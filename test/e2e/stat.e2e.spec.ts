import { TestApi } from '../support/api.js';

describe('GET /ipm/stat', () => {
  let api: TestApi;
  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());

  it('answers without credential and organisation', async () => {
    const { status, body } = await api.send('/stat', { method: 'GET' });
    expect(status).toBe(200);
    expect(body.data).toEqual({ service: 'ipm', status: 'ok' });
    expect(body.stats).toMatchObject({ call: 'stat', service: 'ipm' });
  });
});
