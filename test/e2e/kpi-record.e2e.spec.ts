import { TestApi } from '../support/api.js';
import { aDay, aFigure, KpiOwner, type Figure } from '../support/kpis.js';
import { tagsOf } from '../support/webhooks.js';

describe('kpi/record', () => {
  let api: TestApi;
  let owner: KpiOwner;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (owner = await KpiOwner.of(api)));
  afterAll(() => api.close());

  const whole: Figure = {
    kpi_id: 'kpi-1',
    kpi_code: 'out_of_stock_ratio',
    scope: 'facility',
    logical_guid: 'store-0417',
    channel_code: 'store',
    bucket: 'daily',
    bucket_start: '2025-06-15T00:00:00Z',
    bucket_end: '2025-06-16T00:00:00Z',
    value: 0.084,
    value_unit: 'ratio',
    sample_count: 1190,
    dimensions: { department: 'apparel', floor: 2, online: false, brand: null },
    computed_at: '2025-06-16T05:58:00Z',
  };

  it('answers what was sent, as it was sent, with its revision', async () => {
    const policy_refs = { z: ['p-1'], a: { version: 3 } };
    const { status, body } = await owner.write('/kpi/record', { kpi: whole, policy_refs });
    expect(status).toBe(200);
    expect(body.data.kpi).toEqual({
      ...whole,
      policy_refs,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      revision: '1',
    });
    expect(body.revision).toBe('1');
    expect(JSON.stringify(body.data.kpi.policy_refs)).toBe(JSON.stringify(policy_refs));
    const search = { kpi_code: 'out_of_stock_ratio', logical_guid: 'store-0417' };
    expect(await owner.series(search)).toEqual([body.data.kpi]);
  });

  it.each([
    0,
    -1,
    0.1,
    1 / 3,
    5e-324,
    1.7976931348623157e308 / 1e300,
    123456789.987654321,
    1e-300,
    9007199254740991,
    0.1 + 0.2,
  ])('gives the number %d back as it was sent', async (value) => {
    const { body } = await owner.record({ value, sample_count: Math.abs(value) });
    expect(body.data.kpi).toMatchObject({ value, sample_count: Math.abs(value) });
    expect(await owner.series()).toMatchObject([{ value, sample_count: Math.abs(value) }]);
  });

  it.each(['1e400', '9007199254740993', '-1e309'])('refuses the number %s, which cannot be kept', async (number) => {
    const body = JSON.stringify({ kpi: aFigure({ value: 4711 }) }).replace('4711', number);
    const { status, body: answer } = await api.send(
      '/kpi/record',
      { orgcode: owner.orgcode, key: owner.key, headers: { 'content-type': 'application/json' } },
      body,
    );
    expect([status, answer.error?.error_code]).toEqual([400, 'number_not_exact']);
  });

  it('takes an organisation for the scope, and a facility where one is named', async () => {
    expect((await owner.record()).body.data.kpi.scope).toBe('org');
    expect((await owner.record({ logical_guid: 'store-1' })).body.data.kpi.scope).toBe('facility');
    const refused = await owner.record({ scope: 'facility' });
    expect([refused.status, refused.body.error?.error_code, tagsOf(refused)]).toEqual([
      400,
      'kpi_invalid',
      ['required'],
    ]);
  });

  it.each<[string, object, string]>([
    [
      'a day that begins at noon',
      { bucket_start: '2025-01-01T12:00:00Z', bucket_end: '2025-01-02T12:00:00Z' },
      'not_aligned',
    ],
    ['a day that ends before it begins', { bucket_end: '2024-12-31T00:00:00Z' }, 'not_after_start'],
    ['a day of two days', { bucket_end: '2025-01-03T00:00:00Z' }, 'not_the_end'],
    ['a dimension that is a list', { dimensions: { a: [1] } }, 'not_flat'],
    ['a dimension that is a question', { dimensions: { a: { $gt: 1 } } }, 'not_flat'],
    ['a long dimension', { dimensions: { a: 'x'.repeat(257) } }, 'too_long'],
    [
      'many dimensions',
      { dimensions: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`d${i}`, i])) },
      'too_many',
    ],
  ])('refuses %s', async (_what, fields, tag) => {
    const refused = await owner.record(fields as Figure);
    expect([refused.status, refused.body.error?.error_code, tagsOf(refused)]).toEqual([400, 'kpi_invalid', [tag]]);
  });

  it.each(['value', 'kpi_code', 'bucket', 'bucket_start', 'bucket_end'])('asks for %s', async (field) => {
    const kpi = Object.fromEntries(Object.entries(aFigure()).filter(([name]) => name !== field));
    const refused = await owner.write('/kpi/record', { kpi });
    expect([refused.status, tagsOf(refused)]).toEqual([400, ['required']]);
  });

  it('takes buckets of the time zone of the organisation, the short day and the long one too', async () => {
    await owner.settings({ time_zone: 'Europe/Berlin' });
    const short = { bucket_start: '2025-03-29T23:00:00Z', bucket_end: '2025-03-30T22:00:00Z' };
    const long = { bucket_start: '2025-10-26T00:00:00+02:00', bucket_end: '2025-10-27T00:00:00+01:00' };
    const leap = { bucket_start: '2024-02-29T00:00:00+01:00', bucket_end: '2024-03-01T00:00:00+01:00' };
    for (const day of [short, long, leap]) expect((await owner.record(day)).status).toBe(200);
    const wrong = await owner.record({ bucket_start: '2025-03-29T23:00:00Z', bucket_end: '2025-03-30T23:00:00Z' });
    expect(tagsOf(wrong)).toEqual(['not_the_end']);
    const elsewhere = await KpiOwner.of(api);
    expect(tagsOf(await elsewhere.record(short))).toEqual(['not_aligned']);
  });

  it('leaves what IPM records of itself to IPM', async () => {
    const refused = await owner.record({ kpi_code: 'ipm.events_accepted' });
    expect([refused.status, refused.body.error?.error_code]).toEqual([400, 'kpi_code_reserved']);
  });

  describe('of a bucket that is recorded already', () => {
    it('is 428 without the revision, 409 with another one, and a new revision with the right one', async () => {
      const first = (await owner.record({ value: 1 })).body.data.kpi as Figure;
      const missing = await owner.record({ value: 2 });
      expect([missing.status, missing.body.error?.conflict_snapshot]).toEqual([428, first]);
      const stale = await owner.record({ value: 2 }, { expected_revision: '7' });
      expect([stale.status, stale.body.error?.error_code]).toEqual([409, 'revision_stale']);
      expect(stale.body.error?.conflict_snapshot).toEqual(first);
      const revised = (await owner.record({ value: 2 }, { expected_revision: '1' })).body;
      expect(revised.data.kpi).toMatchObject({
        kpi_id: first.kpi_id,
        value: 2,
        revision: '2',
        created_at: first.created_at,
      });
      expect(revised.revision).toBe('2');
      expect(await owner.series()).toEqual([revised.data.kpi]);
    });

    it('knows it by the instant and by its dimensions in whatever order', async () => {
      await owner.record({ dimensions: { a: 1, b: 'x' } });
      const same = { dimensions: { b: 'x', a: 1 }, bucket_start: '2025-01-01T01:00:00+01:00' };
      expect((await owner.record(same)).status).toBe(428);
    });

    it.each<[string, Figure]>([
      ['day', { ...aDay(2) }],
      ['KPI', { kpi_code: 'margin' }],
      ['facility', { logical_guid: 'store-1' }],
      ['channel', { channel_code: 'web' }],
      ['dimension', { dimensions: { a: '1' } }],
      ['type of a dimension', { dimensions: { a: 1 } }],
      ['bucket', { bucket: 'fiscal' }],
    ])('is another one by its %s', async (_what, fields) => {
      await owner.record();
      expect((await owner.record(fields)).status).toBe(200);
    });

    it('keeps to its kpi_id, and an id to its bucket', async () => {
      await owner.record({ kpi_id: 'mine' });
      const otherId = await owner.record({ kpi_id: 'other' }, { expected_revision: '1' });
      const otherBucket = await owner.record({ kpi_id: 'mine', day: 2 });
      for (const answer of [otherId, otherBucket])
        expect([answer.status, answer.body.error?.error_code]).toEqual([409, 'kpi_id_taken']);
      const another = await KpiOwner.of(api);
      expect((await another.record({ kpi_id: 'mine', day: 2 })).status).toBe(200);
    });

    it('is answered 404 to who expects a revision of what never was', async () => {
      const { status, body } = await owner.record({}, { expected_revision: '1' });
      expect([status, body.error?.error_code]).toEqual([404, 'kpi_not_found']);
      expect(await owner.series()).toEqual([]);
    });

    it('is written by one of 50 at once, round after round, and the others are told what it became', async () => {
      for (let round = 0; round < 3; round += 1) {
        const expected = round === 0 ? {} : { expected_revision: String(round) };
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, i) => owner.record({ value: round * 100 + i }, expected)),
        );
        const [won, ...more] = answers.filter(({ status }) => status === 200);
        expect(more).toEqual([]);
        const lost = answers.filter(({ status }) => status !== 200);
        for (const { status, body } of lost)
          expect([status, body.error?.conflict_snapshot]).toEqual([round === 0 ? 428 : 409, won?.body.data.kpi]);
        expect(await owner.series()).toEqual([won?.body.data.kpi]);
      }
    });

    it('is one row where 20 record two series in both orders', async () => {
      const both = [aFigure({ channel_code: 'a' }), aFigure({ channel_code: 'b' })];
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => owner.batch(i % 2 === 0 ? both : [...both].reverse())),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(answers.reduce((sum, { body }) => sum + (body.data.recorded as number), 0)).toBe(2);
      expect(await owner.series()).toHaveLength(2);
    });

    it('is the same answer to who repeats it with its key', async () => {
      const first = await owner.record({}, {}, { 'idempotency-key': 'once' });
      const again = await owner.record({}, {}, { 'idempotency-key': 'once' });
      expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
      expect(again.body).toEqual(first.body);
    });
  });

  describe('in batches', () => {
    it('answers for each figure, and one that is wrong does not sink the others', async () => {
      await owner.record({ day: 3, kpi_id: 'third' });
      const { status, body } = await owner.batch([
        aFigure({ day: 1, kpi_id: 'first' }),
        aFigure({ day: 2, value: undefined }),
        aFigure({ day: 3 }),
        aFigure({ day: 3, expected_revision: '1' }),
        7,
        aFigure({ day: 4, bucket_end: '2025-03-01T00:00:00Z' }),
        aFigure({ day: 5, kpi_id: 'first' }),
        aFigure({ day: 6, kpi_code: 'ipm.mine' }),
        aFigure({ day: 1 }),
      ]);
      expect(status).toBe(200);
      expect(body.data).toMatchObject({ recorded: 1, revised: 0, rejected: 8 });
      const items = body.data.items as { status: string; error?: { error_code: string } }[];
      expect(items.map((item) => item.error?.error_code ?? item.status)).toEqual([
        'recorded',
        'request_invalid',
        'revision_required',
        'kpi_repeated',
        'body_malformed',
        'kpi_invalid',
        'kpi_id_taken',
        'kpi_code_reserved',
        'kpi_repeated',
      ]);
      expect(body.data.items[2].error.conflict_snapshot).toMatchObject({ kpi_id: 'third', revision: '1' });
      expect((await owner.series()).map(({ kpi_id }) => kpi_id)).toEqual(['first', 'third']);
    });

    it('takes 1,000, revises them, and no more at once', async () => {
      const days = Array.from({ length: 1_000 }, (_, i) => aFigure({ day: i + 1, value: i }));
      expect((await owner.batch(days)).body.data).toMatchObject({ recorded: 1_000, rejected: 0 });
      const again = days.map((day) => ({ ...day, value: 7, expected_revision: '1' }));
      expect((await owner.batch(again)).body.data).toMatchObject({ revised: 1_000, rejected: 0 });
      expect(await owner.series({ to_utc: '2030-01-01T00:00:00Z' })).toHaveLength(256);
      expect((await owner.batch([...days, aFigure()])).status).toBe(400);
      expect((await owner.batch([])).status).toBe(400);
    });

    it('refuses a number beyond what can be kept in its own item', async () => {
      const sent = JSON.stringify({ ...grounds(), kpis: [aFigure({ value: 4711 }), aFigure({ day: 2 })] });
      const { status, body } = await api.send(
        '/kpi/record/batch',
        { orgcode: owner.orgcode, key: owner.key, headers: { 'content-type': 'application/json' } },
        sent.replace('4711', '1e999'),
      );
      expect([status, body.data]).toEqual([200, expect.objectContaining({ recorded: 1, rejected: 1 })]);
      expect(body.data.items[0].error.error_code).toBe('number_not_exact');
    });
  });

  const grounds = (): object => ({
    request_context: { orgcode: owner.orgcode, actor: 'spec', context_source: 'api_key' },
    reason: 'r',
    source_refs: [],
  });
});
