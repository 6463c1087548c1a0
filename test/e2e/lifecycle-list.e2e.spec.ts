import { LIFECYCLES, LIFECYCLES_VERSION } from '../../src/catalog/lifecycles.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import type { Organisation } from '../support/event-types.js';

describe('POST /ipm/lifecycle/list', () => {
  let api: TestApi;
  let owner: Organisation;
  beforeAll(async () => {
    api = await TestApi.start();
    owner = await api.anOwner();
  });
  afterAll(() => api.close());

  const list = (body: object): Promise<ApiAnswer> => api.call('/lifecycle/list', body, owner);
  const namesIn = ({ body }: ApiAnswer): string[] => (body.data.items as { name: string }[]).map(({ name }) => name);

  it('answers the very definitions that the code asks, all at once, with their version', async () => {
    const { status, body } = await list({});
    expect(status).toBe(200);
    expect(body.data).toEqual({
      items: JSON.parse(JSON.stringify(LIFECYCLES)) as object[],
      version: LIFECYCLES_VERSION,
    });
    expect(body.data.items[0].transitions[0]).toEqual({ from: 'active', to: 'revoked', rule: expect.any(String) });
  });

  it('has those of the issue: webhook, delivery, bulk job, operation run, dead letter, KPI alert', async () => {
    expect(namesIn(await list({}))).toEqual(
      expect.arrayContaining(['webhook', 'delivery', 'bulk_job', 'operation_run', 'dead_letter', 'kpi_alert']),
    );
  });

  it('filters by name and service, and says the same version', async () => {
    const one = await list({ name: 'webhook' });
    expect([namesIn(one), one.body.data.version]).toEqual([['webhook'], LIFECYCLES_VERSION]);
    expect(namesIn(await list({ service: 'ipm', name: 'delivery' }))).toEqual(['delivery']);
    expect(namesIn(await list({ service: 'ipm' }))).toHaveLength(LIFECYCLES.length);
    for (const filters of [{ name: 'web' }, { name: '%' }, { name: 'Webhook' }, { service: 'scm' }]) {
      expect([filters, namesIn(await list(filters))]).toEqual([filters, []]);
    }
  });

  it('may be asked without a body', async () => {
    const answer = await api.send('/lifecycle/list', owner);
    expect(namesIn(answer)).toHaveLength(LIFECYCLES.length);
  });

  it.each([{ name: 7 }, { service: '' }, { name: ['webhook'] }])('refuses %j', async (body) => {
    expect((await list(body)).body.error?.error_code).toBe('request_invalid');
  });
});
