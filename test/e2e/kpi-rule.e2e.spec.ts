import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { compilePayloadSchema } from '../../src/catalog/payload-schema.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import { aFigure, KpiOwner, type Figure } from '../support/kpis.js';
import { tagsOf } from '../support/webhooks.js';

describe('kpi/rule', () => {
  let api: TestApi;
  let owner: KpiOwner;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (owner = await KpiOwner.of(api)));
  afterAll(() => api.close());

  const create = (rule: object = {}, more: object = {}): Promise<ApiAnswer> =>
    owner.write('/kpi/rule/create', {
      rule: { kpi_code: 'sales', bucket: 'daily', comparator: 'lt', value: 10, ...rule },
      ...more,
    });
  const aRule = async (rule: object = {}): Promise<{ rule_id: string; revision: string }> =>
    (await create(rule)).body.data.rule;
  const days = async (...values: number[]): Promise<void> => {
    for (const [i, value] of values.entries()) expect((await owner.record({ day: i + 1, value })).status).toBe(200);
  };
  /** `raised 2` for the second day. */
  const said = async (): Promise<string[]> =>
    (await owner.alertEvents()).map(({ action, payload }) => {
      const day = new Date(payload.bucket_start as string).getUTCDate();
      return `${action.replace('kpi.alert_', '')} ${day}`;
    });
  const alerts = async (): Promise<Figure[]> => (await owner.call('/kpi/alert/list', { limit: 256 })).body.data.items;

  it('answers what it watches, keeps it, lists it newest first', async () => {
    const rule = {
      kpi_code: 'sales',
      bucket: 'daily',
      scope: 'facility',
      logical_guid: 'store-1',
      channel_code: 'web',
      dimensions: { floor: 1 },
      measure: 'change_percent',
      comparator: 'lte',
      value: -12.5,
      title: 'Sales fall',
    };
    const { status, body } = await create(rule, { rule_id: 'mine' });
    expect([status, body.revision]).toEqual([200, '1']);
    expect(body.data.rule).toMatchObject({ rule_id: 'mine', status: 'active', ...rule, revision: '1' });
    const second = await aRule({ kpi_code: 'margin' });
    const list = await owner.call('/kpi/rule/list', {});
    expect((list.body.data.items as Figure[]).map(({ rule_id }) => rule_id)).toEqual([second.rule_id, 'mine']);
    const ofSales = await owner.call('/kpi/rule/list', { kpi_code: 'sales' });
    expect(ofSales.body.data.items).toEqual([body.data.rule]);
    expect((await create({}, { rule_id: 'mine' })).body.error?.error_code).toBe('kpi_rule_exists');
  });

  it.each<[object, string]>([
    [{ comparator: undefined }, 'required'],
    [{ measure: 'minutes_missing', bucket: 'fiscal', comparator: undefined }, 'not_of_the_calendar'],
    [{ measure: 'minutes_missing', comparator: 'lt' }, 'not_gte'],
    [{ measure: 'minutes_missing', comparator: undefined, value: -1 }, 'too_small'],
    [{ dimensions: { a: [] } }, 'not_flat'],
  ])('refuses %j', async (rule, tag) => {
    const refused = await create(rule);
    expect([refused.status, refused.body.error?.error_code, tagsOf(refused)]).toEqual([400, 'kpi_rule_invalid', [tag]]);
  });

  it('raises each bucket beyond its threshold once, and clears them when the KPI returns', async () => {
    const { rule_id } = await aRule({ title: 'Sales are low' });
    await days(12, 9, 8, 10, 11);
    expect(await said()).toEqual(['raised 2', 'raised 3', 'cleared 2', 'cleared 3']);
    const [raised, , cleared] = await owner.alertEvents();
    expect(raised?.payload).toMatchObject({
      rule_id,
      measure: 'value',
      value: 9,
      threshold: { comparator: 'lt', value: 10 },
      title: 'Sales are low',
    });
    expect(cleared?.payload).toMatchObject({ rule_id, value: 10, raised_at: expect.any(String) });
    const shown = await alerts();
    expect(shown).toMatchObject([
      {
        rule_id,
        value: 8,
        measure: 'value',
        delivery_status: 'not_requested',
        cleared_at: expect.any(String),
        revision: '2',
      },
      { rule_id, value: 9, threshold: { comparator: 'lt', value: 10 } },
    ]);
  });

  it('says it as the catalog describes it', async () => {
    await aRule();
    await aRule({ measure: 'change_percent', comparator: 'lt', value: -10 });
    await days(20, 5, 30);
    const events = await owner.alertEvents();
    expect(events).toHaveLength(4);
    for (const { action, payload } of events) {
      const type = api.app.get(BuiltinCatalog).findNewest('ipm', action)!;
      expect(compilePayloadSchema(type.schema)(payload)).toEqual([]);
    }
  });

  it('judges a revised bucket again: it clears, and is raised no second time', async () => {
    await aRule();
    for (const [i, value] of [9, 8, 12, 7].entries())
      await owner.record({ value }, i === 0 ? {} : { expected_revision: String(i) });
    expect(await said()).toEqual(['raised 1', 'cleared 1']);
    expect(await alerts()).toHaveLength(1);
  });

  it('raises in a batch what breaches, and clears what returns within it', async () => {
    await aRule();
    await owner.batch([9, 12, 8].map((value, i) => aFigure({ day: i + 1, value })));
    expect(await said()).toEqual(['raised 1', 'raised 3', 'cleared 1']);
  });

  it('judges the change against the bucket before, whichever of them came later', async () => {
    await aRule({ measure: 'change_percent', comparator: 'lt', value: -20 });
    await owner.record({ day: 1, value: 100 });
    await owner.record({ day: 3, value: 70 }); // nothing to compare it with
    expect(await said()).toEqual([]);
    await owner.record({ day: 2, value: 90 }); // -10 %, and then -22.2 %
    expect(await said()).toEqual(['raised 3']);
    expect((await alerts())[0]).toMatchObject({ measure: 'change_percent', value: (-20 / 90) * 100 });
    await owner.record({ day: 2, value: 80 }, { expected_revision: '1' }); // -12.5 %
    expect(await said()).toEqual(['raised 3', 'cleared 3']);
    await owner.record({ day: 4, value: 0 });
    await owner.record({ day: 5, value: 9 }); // after nothing, no percentage says it
    expect(await said()).toEqual(['raised 3', 'cleared 3', 'raised 4']);
  });

  it('watches the series that it names, and all of them where it names none', async () => {
    await aRule({ logical_guid: 'store-1', dimensions: { floor: 1 } });
    await owner.record({ value: 1 });
    await owner.record({ value: 1, logical_guid: 'store-1' });
    await owner.record({ value: 1, logical_guid: 'store-2', dimensions: { floor: 1 } });
    await owner.record({ value: 1, logical_guid: 'store-1', dimensions: { floor: '1' } });
    expect(await said()).toEqual([]);
    await owner.record({ value: 1, logical_guid: 'store-1', dimensions: { floor: 1, x: true } });
    expect(await owner.alertEvents()).toMatchObject([{ logical_guid: 'store-1', action: 'kpi.alert_raised' }]);
    await aRule();
    for (const channel_code of ['a', 'b']) await owner.record({ value: 1, channel_code });
    expect(await said()).toHaveLength(3);
  });

  it('raises once where 20 record and revise the bucket at once', async () => {
    await aRule();
    const recorded = await Promise.all(Array.from({ length: 20 }, () => owner.record({ value: 3 })));
    expect(recorded.filter(({ status }) => status === 200)).toHaveLength(1);
    for (let revision = 1; revision <= 3; revision += 1)
      await Promise.all(
        Array.from({ length: 20 }, () => owner.record({ value: 3 }, { expected_revision: String(revision) })),
      );
    expect(await said()).toEqual(['raised 1']);
    expect(await alerts()).toHaveLength(1);
  });

  it('says the same in whatever order 12 days are recorded at once: each breach once, and nothing stays open before a return', async () => {
    await aRule({ measure: 'change_percent', comparator: 'lt', value: -20 });
    const values = [100, 50, 60, 40, 45, 45, 20, 30, 90, 50, 60, 70];
    await Promise.all(values.map((value, i) => owner.record({ day: i + 1, value })));
    const raised = (await said()).filter((one) => one.startsWith('raised')).sort();
    expect(raised).toEqual(['raised 10', 'raised 2', 'raised 4', 'raised 7']);
  });

  it('that is paused says nothing, and with a stale revision stays as it is', async () => {
    const { rule_id, revision } = await aRule();
    const set = (status: string, expected_revision: string): Promise<ApiAnswer> =>
      owner.write('/kpi/rule/status/set', { rule_id, status, expected_revision });
    expect((await set('paused', '7')).body.error).toMatchObject({
      error_code: 'revision_stale',
      conflict_snapshot: { rule_id, status: 'active' },
    });
    const missing = await owner.write('/kpi/rule/status/set', { rule_id, status: 'paused' });
    expect([missing.status, missing.body.error?.conflict_snapshot]).toMatchObject([428, { rule_id, revision }]);
    expect((await set('paused', revision)).body.data.rule).toMatchObject({ status: 'paused', revision: '2' });
    await owner.record({ day: 1, value: 1 });
    expect(await said()).toEqual([]);
    await set('active', '2');
    await owner.record({ day: 2, value: 1 });
    expect(await said()).toEqual(['raised 2']);
  });

  it('that is deleted is gone, and another one of its id raises anew', async () => {
    const rule = (await create({}, { rule_id: 'r' })).body.data.rule;
    await owner.record({ day: 1, value: 1 });
    const remove = (expected_revision: string): Promise<ApiAnswer> =>
      owner.write('/kpi/rule/delete', { rule_id: 'r', expected_revision });
    expect((await remove('9')).status).toBe(409);
    expect((await remove('1')).body.data.rule).toEqual(rule);
    expect((await remove('1')).status).toBe(404);
    await owner.record({ day: 1, value: 2 }, { expected_revision: '1' });
    expect(await said()).toEqual(['raised 1']);
    await create({}, { rule_id: 'r' });
    await owner.record({ day: 1, value: 3 }, { expected_revision: '2' });
    expect(await said()).toEqual(['raised 1', 'raised 1']);
  });
});
