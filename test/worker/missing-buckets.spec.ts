import { MissingBucketsSweep } from '../../src/kpi/missing-buckets.sweep.js';
import { TestApi } from '../support/api.js';
import { aFigure, KpiOwner } from '../support/kpis.js';

const HOUR_MS = 3_600_000;

describe('a rule that waits for buckets', () => {
  let api: TestApi;
  let owner: KpiOwner;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (owner = await KpiOwner.of(api)));
  afterAll(() => api.close());

  const look = (): Promise<void> => api.app.get(MissingBucketsSweep, { strict: false }).look();
  const at = (hours: number): string =>
    new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - hours * HOUR_MS).toISOString();
  const hourAgo = (hours: number, fields: object = {}): object =>
    aFigure({ bucket: 'hourly', bucket_start: at(hours), bucket_end: at(hours - 1), ...fields });
  const record = async (hours: number, fields: object = {}): Promise<void> => {
    expect((await owner.write('/kpi/record', { kpi: hourAgo(hours, fields) })).status).toBe(200);
  };
  /** Watching since long, unless it is told otherwise. */
  const aRule = async (minutes: number, since = "now() - interval '10 days'"): Promise<void> => {
    const rule = { kpi_code: 'sales', bucket: 'hourly', measure: 'minutes_missing', value: minutes };
    const { body } = await owner.write('/kpi/rule/create', { rule });
    await api.database.asOwner(`update kpi_rule set watches_from = ${since} where rule_id = $1`, [
      body.data.rule.rule_id,
    ]);
  };
  const said = async (): Promise<string[]> =>
    (await owner.alertEvents()).map(({ action }) => action.replace('kpi.alert_', ''));

  it('says once, however often and by however many it is asked, that the next one did not come', async () => {
    await aRule(30);
    await record(4);
    await Promise.all([look(), look()]);
    await look();
    expect(await owner.alertEvents()).toMatchObject([
      {
        action: 'kpi.alert_raised',
        payload: { measure: 'minutes_missing', bucket_start: new Date(at(3)).toISOString().replace('.000Z', 'Z') },
      },
    ]);
    expect((await owner.alertEvents())[0]?.payload).not.toHaveProperty('value');
    const { items } = (await owner.call('/kpi/alert/list', {})).body.data;
    expect(items).toMatchObject([{ measure: 'minutes_missing', threshold: { comparator: 'gte', value: 30 } }]);
    expect(items[0].value).toBeGreaterThanOrEqual(120);
  });

  it('clears it when the bucket comes, or a later one', async () => {
    await aRule(30);
    await record(4);
    await look();
    await record(3);
    expect(await said()).toEqual(['raised', 'cleared']);
    await look();
    await record(1);
    expect(await said()).toEqual(['raised', 'cleared', 'raised', 'cleared']);
  });

  it('waits for so many minutes, for each series, and misses nothing from before it watched', async () => {
    await aRule(10 * 60);
    await record(4);
    await look();
    expect(await said()).toEqual([]);
    await aRule(1, 'now()');
    await look();
    expect(await said()).toEqual([]);
    await record(4, { channel_code: 'web' });
    await record(3, { channel_code: 'shop' });
    await aRule(1);
    await look();
    expect(await said()).toEqual(['raised', 'raised', 'raised']);
  });

  it('goes by days of the organisation where the figures do', async () => {
    await owner.settings({ time_zone: 'Asia/Tokyo' });
    await owner.write('/kpi/record', {
      kpi: aFigure({ bucket_start: '2025-06-01T00:00:00+09:00', bucket_end: '2025-06-02T00:00:00+09:00' }),
    });
    const rule = { kpi_code: 'sales', bucket: 'daily', measure: 'minutes_missing', value: 0 };
    const { body } = await owner.write('/kpi/rule/create', { rule });
    await api.database.asOwner(`update kpi_rule set watches_from = '2025-01-01' where rule_id = $1`, [
      body.data.rule.rule_id,
    ]);
    await look();
    expect(await owner.alertEvents()).toMatchObject([
      { payload: { bucket_start: '2025-06-01T15:00:00Z', bucket_end: '2025-06-02T15:00:00Z' } },
    ]);
  });

  it('is asked although one before it cannot be', async () => {
    const broken = await KpiOwner.of(api);
    await broken.write('/kpi/record', { kpi: hourAgo(4) });
    const rule = { kpi_code: 'sales', bucket: 'hourly', measure: 'minutes_missing', value: 1 };
    await broken.write('/kpi/rule/create', { rule });
    await api.database.asOwner(`update organisation set time_zone = 'Mars/Phobos' where orgcode = $1`, [
      broken.orgcode,
    ]);
    await aRule(1);
    await record(4);
    await look();
    expect(await said()).toEqual(['raised']);
    expect(await broken.alertEvents()).toEqual([]);
  });
});
