import { TestApi, type ApiAnswer } from '../support/api.js';
import { aFigure, KpiOwner } from '../support/kpis.js';
import { until } from '../support/until.js';

describe('kpi/rollup', () => {
  let api: TestApi;
  let owner: KpiOwner;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (owner = await KpiOwner.of(api)));
  afterAll(() => api.close());

  const order = (rollup: object, more: object = {}): Promise<ApiAnswer> =>
    owner.write('/kpi/rollup', {
      rollup: {
        kpi_code: 'sales',
        from_bucket: 'hourly',
        to_bucket: 'daily',
        aggregate: 'sum',
        from_utc: '2025-01-01T00:00:00Z',
        to_utc: '2026-01-01T00:00:00Z',
        ...rollup,
      },
      ...more,
    });
  const done = async (rollup: object = {}): Promise<Record<string, unknown>> => {
    const { body } = await order(rollup);
    const { rollup_id } = body.data.rollup;
    const get = async (): Promise<Record<string, unknown>> =>
      (await owner.call('/kpi/rollup/get', { rollup_id })).body.data.rollup;
    await until(async () => (await get()).status === 'completed');
    return get();
  };
  const hours = async (from: string, count: number, fields: (n: number) => object): Promise<void> => {
    const startMs = Date.parse(from);
    const at = (n: number): string => new Date(startMs + n * 3_600_000).toISOString();
    const figures = Array.from({ length: count }, (_, n) =>
      aFigure({ bucket: 'hourly', bucket_start: at(n), bucket_end: at(n + 1), ...fields(n) }),
    );
    for (let i = 0; i < count; i += 1_000)
      expect((await owner.batch(figures.slice(i, i + 1_000))).body.data.rejected).toBe(0);
  };

  it('makes days of hours, each series by itself, and months of days', async () => {
    await hours('2025-01-01T00:00:00Z', 72, (n) => ({ value: n, sample_count: 1, value_unit: 'EUR' }));
    await hours('2025-01-01T00:00:00Z', 24, () => ({ value: 2, channel_code: 'web', dimensions: { floor: 1 } }));
    expect(await done()).toMatchObject({ recorded: 4, revised: 0, unchanged: 0, left_out: 0 });
    const sumOf = (day: number): number => Array.from({ length: 24 }, (_, i) => day * 24 + i).reduce((a, b) => a + b);
    const own = (await owner.series()).filter(({ channel_code }) => channel_code === undefined);
    expect(own).toMatchObject(
      [0, 1, 2].map((day) => ({ value: sumOf(day), sample_count: 24, value_unit: 'EUR', revision: '1' })),
    );
    expect(await owner.series({ channel_code: 'web' })).toMatchObject([{ value: 48, dimensions: { floor: 1 } }]);
    expect(await done({ from_bucket: 'daily', to_bucket: 'monthly', aggregate: 'max' })).toMatchObject({ recorded: 2 });
    const months = await owner.series({ bucket: 'monthly' });
    expect(months.map(({ value }) => value).sort()).toEqual([sumOf(2), 48].sort());
  });

  it('revises what has changed, and leaves what has not', async () => {
    await hours('2025-01-01T00:00:00Z', 48, () => ({ value: 1 }));
    await done();
    await owner.record(
      { bucket: 'hourly', bucket_start: '2025-01-02T05:00:00Z', bucket_end: '2025-01-02T06:00:00Z', value: 7 },
      { expected_revision: '1' },
    );
    expect(await done()).toMatchObject({ recorded: 0, revised: 1, unchanged: 1 });
    expect(await owner.series()).toMatchObject([
      { value: 24, revision: '1' },
      { value: 30, revision: '2' },
    ]);
  });

  it('weighs by sample_count, and leaves out what has none', async () => {
    await hours('2025-01-01T00:00:00Z', 24, (n) => ({ value: n < 12 ? 1 : 4, sample_count: n < 12 ? 1 : 3 }));
    await hours('2025-01-02T00:00:00Z', 24, () => ({ value: 1 }));
    expect(await done({ aggregate: 'weighted', into_kpi_code: 'sales_mean' })).toMatchObject({
      recorded: 1,
      left_out: 1,
    });
    expect(await owner.series({ kpi_code: 'sales_mean' })).toMatchObject([{ value: 3.25, sample_count: 48 }]);
  });

  it('goes by the days of the organisation, the short one too, and takes whole ones only', async () => {
    await owner.settings({ time_zone: 'Europe/Berlin' });
    await hours('2025-03-28T23:00:00Z', 24 + 23 + 24, () => ({ value: 1 }));
    await done({ from_utc: '2025-03-28T23:00:01Z' });
    expect(await owner.series()).toMatchObject([
      { bucket_start: '2025-03-29T23:00:00Z', bucket_end: '2025-03-30T22:00:00Z', value: 23 },
      { bucket_start: '2025-03-30T22:00:00Z', bucket_end: '2025-03-31T22:00:00Z', value: 24 },
    ]);
  });

  it('works through a year of hours in steps, and rules judge what it records', async () => {
    await owner.write('/kpi/rule/create', {
      rule: { kpi_code: 'sales', bucket: 'daily', comparator: 'gt', value: 24 },
    });
    await hours('2025-01-01T00:00:00Z', 3_000, (n) => ({ value: n === 2_000 ? 9 : 1 }));
    expect(await done()).toMatchObject({ recorded: 125, operation_run_id: expect.any(Number) });
    expect(await owner.alertEvents()).toMatchObject([{ action: 'kpi.alert_raised' }, { action: 'kpi.alert_cleared' }]);
    const [run] = await api.database.asOwner<{ outcome: string; counts: object }>(
      `select outcome, counts from operation_run where type = 'kpi_rollup' and orgcode = $1`,
      [owner.orgcode],
    );
    expect(run).toEqual({ outcome: 'succeeded', counts: { recorded: 125, revised: 0, unchanged: 0, left_out: 0 } });
  });

  it.each<[object, string, string]>([
    [{ to_bucket: 'daily', from_bucket: 'daily' }, 'kpi_invalid', 'not_larger'],
    [{ to_utc: '2024-01-01T00:00:00Z' }, 'kpi_invalid', 'not_after_from'],
    [{ scope: 'facility' }, 'kpi_invalid', 'required'],
  ])('refuses %j', async (rollup, code, tag) => {
    const { status, body } = await order(rollup);
    expect([status, body.error?.error_code]).toEqual([400, code]);
    expect(JSON.stringify(body.error?.details)).toContain(tag);
  });

  it('writes nothing under the codes of IPM, keeps ids apart, and answers 404 for what never was', async () => {
    expect((await order({ kpi_code: 'ipm.feed_lag' })).body.error?.error_code).toBe('kpi_code_reserved');
    expect((await order({ kpi_code: 'ipm.feed_lag', into_kpi_code: 'lag' }, { rollup_id: 'r' })).status).toBe(200);
    expect((await order({}, { rollup_id: 'r' })).body.error?.error_code).toBe('kpi_rollup_exists');
    expect((await owner.call('/kpi/rollup/get', { rollup_id: 'x' })).status).toBe(404);
  });
});
