import { TestApi, type ApiAnswer } from '../support/api.js';
import { aDay, KpiOwner } from '../support/kpis.js';
import { tagsOf } from '../support/webhooks.js';

describe('kpi/alert', () => {
  let api: TestApi;
  let owner: KpiOwner;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (owner = await KpiOwner.of(api)));
  afterAll(() => api.close());

  const alert = (fields: object = {}, headers: Record<string, string> = {}): Promise<ApiAnswer> =>
    owner.write(
      '/kpi/alert',
      {
        alert: {
          kpi_code: 'out_of_stock_ratio',
          value: 0.084,
          threshold: { comparator: 'gt', value: 0.05 },
          bucket: 'daily',
          ...aDay(1),
          ...fields,
        },
      },
      headers,
    );

  it('answers the alert, keeps it, and says so in the log', async () => {
    const fields = {
      alert_id: 'alert-1',
      logical_guid: 'store-0417',
      channel_code: 'store',
      dimensions: { department: 'apparel' },
      title: 'Too much is out of stock',
      body: 'Look at it.',
      team_guid: 'team-1',
    };
    const { status, body } = await alert(fields);
    expect(status).toBe(200);
    expect(body.data.alert).toEqual({
      ...fields,
      kpi_code: 'out_of_stock_ratio',
      value: 0.084,
      threshold: { comparator: 'gt', value: 0.05 },
      scope: 'facility',
      bucket: 'daily',
      ...aDay(1),
      delivery_status: 'not_requested',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      revision: '1',
    });
    expect((await owner.call('/kpi/alert/get', { alert_id: 'alert-1' })).body.data).toEqual(body.data);
    expect(await owner.alertEvents()).toMatchObject([
      {
        action: 'kpi.alert_raised',
        resource_id: 'alert-1',
        logical_guid: 'store-0417',
        channel_code: 'store',
        payload: { alert_id: 'alert-1', value: 0.084, threshold: { comparator: 'gt', value: 0.05 }, scope: 'facility' },
      },
    ]);
  });

  it.each([
    ['gt', 5, 5, 5.1],
    ['gte', 4.9, 5, 5],
    ['lt', 5, 5, 4.9],
    ['lte', 5.1, 5, 5],
    ['eq', 5.1, 5, 5],
    ['neq', 5, 5, 5.1],
  ])('%s: %d is within the threshold %d, and %d is not', async (comparator, within, value, beyond) => {
    const refused = await alert({ threshold: { comparator, value }, value: within });
    expect([refused.status, refused.body.error?.error_code]).toEqual([422, 'threshold_not_breached']);
    expect((await alert({ threshold: { comparator, value }, value: beyond })).status).toBe(200);
    expect(await owner.alertEvents()).toHaveLength(1);
  });

  it('is 409 for an id that is taken, once among many, and free in another organisation', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => alert({ alert_id: 'mine' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(409)]);
    expect(answers.find(({ status }) => status === 409)?.body.error?.error_code).toBe('kpi_alert_exists');
    expect(await owner.alertEvents()).toHaveLength(1);
    owner = await KpiOwner.of(api);
    expect((await alert({ alert_id: 'mine' })).status).toBe(200);
  });

  it('asks for the inbox that it is to go to, and says where there is none', async () => {
    const nowhere = await alert({ deliver_to_inbox: true });
    expect([nowhere.status, tagsOf(nowhere)]).toEqual([400, ['required']]);
    const absent = await alert({ deliver_to_inbox: true, inbox_service: 'scm' });
    expect(absent.body.data.alert).toMatchObject({ inbox_service: 'scm', delivery_status: 'not_configured' });
    expect((await alert({ inbox_service: 'scm' })).body.data.alert.delivery_status).toBe('not_requested');
    expect((await alert({ inbox_service: 'mail' })).status).toBe(400);
  });

  it('asks for a bucket that is well formed, and a facility by its name', async () => {
    const refused = await alert({ bucket_end: '2025-01-05T00:00:00Z', scope: 'facility' });
    expect([refused.status, tagsOf(refused)]).toEqual([400, ['required', 'not_the_end']]);
  });

  it('is the same answer to who repeats it with its key, and one alert', async () => {
    const first = await alert({}, { 'idempotency-key': 'once' });
    expect((await alert({}, { 'idempotency-key': 'once' })).body).toEqual(first.body);
    expect(await owner.alertEvents()).toHaveLength(1);
  });

  it('is listed newest first, in pages, by KPI', async () => {
    for (const alert_id of ['a', 'b', 'c']) await alert({ alert_id });
    await alert({ alert_id: 'other', kpi_code: 'margin' });
    const ids = ({ body }: ApiAnswer): string[] =>
      (body.data.items as { alert_id: string }[]).map((one) => one.alert_id);
    const page = await owner.call('/kpi/alert/list', { limit: 2 });
    expect(ids(page)).toEqual(['other', 'c']);
    const { next_token } = page.body.data;
    expect(ids(await owner.call('/kpi/alert/list', { limit: 2, next_token }))).toEqual(['b', 'a']);
    expect(ids(await owner.call('/kpi/alert/list', { kpi_code: 'margin' }))).toEqual(['other']);
    expect((await owner.call('/kpi/alert/get', { alert_id: 'none' })).status).toBe(404);
  });
});
