import { OwnKpisSweep } from '../../src/kpi/own-kpis.sweep.js';
import { TestApi } from '../support/api.js';
import { DeliveryScene } from '../support/delivery-scene.js';
import { LOCAL_ENDPOINTS } from '../support/webhooks.js';
import { until } from '../support/until.js';
import { WebhookSink } from '../support/webhook-sink.js';

const HOUR_MS = 3_600_000;

describe("IPM's own KPIs", () => {
  let api: TestApi;
  let sink: WebhookSink;
  beforeAll(async () => {
    [api, sink] = [await TestApi.start(LOCAL_ENDPOINTS), await WebhookSink.start()];
  });
  afterAll(async () => {
    await api.close();
    await sink.stop();
  });

  const hourBefore = (hours: number): Date => new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - hours * HOUR_MS);
  const tell = (): Promise<void> => api.app.get(OwnKpisSweep, { strict: false }).look();
  const told = async (
    { orgcode, key }: DeliveryScene,
    bucket = 'hourly',
  ): Promise<Record<string, { value: number; bucket_start: string; sample_count?: number }[]>> => {
    const codes = [
      'events_accepted',
      'import_lines',
      'deliveries',
      'delivery_success_ratio',
      'delivery_p95_age',
      'dead_letters',
      'feed_lag',
    ];
    const series = await Promise.all(
      codes.map(async (code) => {
        const range = { from_utc: '2020-01-01T00:00:00Z', to_utc: '2100-01-01T00:00:00Z', limit: 256 };
        const { body } = await api.call('/kpi/query', { kpi_code: `ipm.${code}`, bucket, ...range }, { orgcode, key });
        return [code, body.data.series] as const;
      }),
    );
    return Object.fromEntries(series);
  };
  /** What happened just now happened hours ago. */
  const shift = async ({ orgcode }: DeliveryScene, hours: number, doneTo: Date): Promise<void> => {
    await api.database.asOwner(
      `update event set recorded_at = recorded_at - make_interval(hours => $2) where orgcode = $1`,
      [orgcode, hours],
    );
    await api.database.asOwner(
      `update delivery_tally set from_time = from_time - make_interval(hours => $2) where orgcode = $1`,
      [orgcode, hours],
    );
    await api.database.asOwner(
      `insert into kpi_own_progress (orgcode, bucket, done_to, position) select $1, b, $2, 0 from unnest(array['hourly', 'daily']) b
       on conflict (orgcode, bucket) do update set done_to = excluded.done_to, position = 0`,
      [orgcode, doneTo],
    );
  };
  const aBusyHour = async (): Promise<DeliveryScene> => {
    const scene = await DeliveryScene.of(api, sink);
    await scene.webhook();
    await scene.publish(7);
    await until(async () => {
      const rows = await scene.rows<{ sum: number }>(
        'select coalesce(sum(delivered), 0)::int as sum from delivery_tally',
      );
      return rows[0]?.sum === 7;
    });
    return scene;
  };

  it('tell the hour that is over, once, by however many workers', async () => {
    const scene = await aBusyHour();
    await shift(scene, 2, hourBefore(2));
    await Promise.all([tell(), tell(), tell()]);
    await tell();
    const {
      events_accepted,
      deliveries,
      delivery_success_ratio,
      delivery_p95_age,
      dead_letters,
      import_lines,
      feed_lag,
    } = await told(scene);
    const [hour, ...more] = events_accepted!;
    expect(more).toEqual([]);
    expect(hour).toMatchObject({
      bucket_start: hourBefore(2).toISOString().replace('.000Z', 'Z'),
      revision: '1',
      scope: 'org',
    });
    expect(hour!.value).toBeGreaterThanOrEqual(8); // and what IPM says of the webhook
    expect(deliveries).toMatchObject([{ value: 7 }]);
    expect(delivery_success_ratio).toMatchObject([{ value: 1, sample_count: 7 }]);
    expect(delivery_p95_age).toMatchObject([{ value: expect.any(Number), value_unit: 'ms' }]);
    expect([dead_letters, import_lines, feed_lag]).toMatchObject([[{ value: 0 }], [{ value: 0 }], [{ value: 0 }]]);
  });

  it('count lines of files by their origin, and go on where they were', async () => {
    const scene = await aBusyHour();
    await api.database.asOwner(
      `update event set envelope = replace(envelope, '"origin":"publish"}', '"origin":"import"}') where orgcode = $1`,
      [scene.orgcode],
    );
    await shift(scene, 3, hourBefore(3));
    await tell();
    const { import_lines, events_accepted } = await told(scene);
    expect(import_lines).toMatchObject([{ value: 7 }]);
    expect(events_accepted).toHaveLength(1); // hours of nothing tell nothing
    const [row] = await scene.rows<{ done_to: Date }>(`select done_to from kpi_own_progress`);
    expect(row!.done_to.getTime()).toBeGreaterThanOrEqual(hourBefore(1).getTime());
  });

  it('tell a day out of its hours when it is over', async () => {
    const scene = await aBusyHour();
    const dayStart = new Date(Math.floor(Date.now() / (24 * HOUR_MS)) * 24 * HOUR_MS - 24 * HOUR_MS);
    await shift(scene, 24, dayStart);
    await tell();
    const hours = await told(scene);
    const days = await told(scene, 'daily');
    const sum = hours.events_accepted!.reduce((total, { value }) => total + value, 0);
    const yesterday = dayStart.toISOString().replace('.000Z', 'Z');
    expect(days.events_accepted).toMatchObject([{ value: sum, bucket_start: yesterday }]);
    expect(days.deliveries).toMatchObject([{ value: 7, bucket_start: yesterday }]);
    expect(days.delivery_p95_age).toHaveLength(1);
  });

  it('are watched by rules as other figures are, and seen as an operation run', async () => {
    const scene = await aBusyHour();
    const rule = { kpi_code: 'ipm.events_accepted', bucket: 'hourly', comparator: 'gte', value: 1 };
    expect((await scene.call('kpi/rule/create', { rule })).status).toBe(200);
    await shift(scene, 2, hourBefore(2));
    await tell();
    const { body } = await scene.call('kpi/alert/list', {});
    expect(body.data.items).toMatchObject([{ kpi_code: 'ipm.events_accepted', measure: 'value' }]);
    const runs = await api.database.asOwner<{ outcome: string }>(
      `select outcome from operation_run where type = 'own_kpis'`,
    );
    expect(runs.length).toBeGreaterThan(0);
    expect(new Set(runs.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded']));
  });

  it('are told to the others where one cannot be', async () => {
    const [broken, scene] = [await aBusyHour(), await aBusyHour()];
    await api.database.asOwner(`update organisation set time_zone = 'Mars/Phobos' where orgcode = $1`, [
      broken.orgcode,
    ]);
    for (const one of [broken, scene]) await shift(one, 2, hourBefore(2));
    await tell();
    expect((await told(scene)).deliveries).toMatchObject([{ value: 7 }]);
    const [run] = await api.database.asOwner<{ outcome: string }>(
      `select outcome from operation_run where type = 'own_kpis' order by id desc limit 1`,
    );
    expect(run?.outcome).toBe('partially_succeeded');
  });
});
