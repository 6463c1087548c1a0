import { TestApi } from '../support/api.js';
import { aFigure, KpiOwner, type Figure } from '../support/kpis.js';
import { tagsOf } from '../support/webhooks.js';

describe('kpi/query', () => {
  let api: TestApi;
  let owner: KpiOwner;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (owner = await KpiOwner.of(api)));
  afterAll(() => api.close());

  const days = async (search: object = {}): Promise<number[]> =>
    (await owner.series(search)).map(({ value }) => value as number);
  const sorted = async (search: object): Promise<number[]> => (await days(search)).sort((a, b) => a - b);
  const record = async (...figures: Figure[]): Promise<void> => {
    const { body } = await owner.batch(figures.map((figure) => aFigure(figure)));
    expect(body.data).toMatchObject({ recorded: figures.length });
  };

  it('answers buckets that start in the range, by their start', async () => {
    await record(...[5, 3, 1, 4, 2].map((day) => ({ day, value: day })));
    expect(await days()).toEqual([1, 2, 3, 4, 5]);
    const range = { from_utc: '2025-01-02T00:00:00Z', to_utc: '2025-01-04T00:00:00Z' };
    expect(await days(range)).toEqual([2, 3]);
    expect(await days({ from_utc: '2025-01-02T00:00:00.001Z' })).toEqual([3, 4, 5]);
    expect(await days({ from_utc: '2025-01-02T02:00:00+02:00' })).toEqual([2, 3, 4, 5]);
    expect(await days({ from_utc: '2025-02-01T00:00:00Z', to_utc: '2025-01-01T00:00:00Z' })).toEqual([]);
  });

  it('pages with next_token, each figure once, several of one start included, and ends without a token', async () => {
    await record(
      ...[1, 2, 3].flatMap((day) => ['a', 'b', 'c', 'd'].map((channel_code) => ({ day, channel_code, value: day }))),
    );
    const seen: Figure[] = [];
    let next_token: object | undefined;
    do {
      const { body } = await owner.query({ limit: 5, ...(next_token && { next_token }) });
      seen.push(...(body.data.series as Figure[]));
      next_token = body.data.next_token as object | undefined;
    } while (next_token);
    expect(seen.map(({ value }) => value)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    expect(new Set(seen.map(({ kpi_id }) => kpi_id)).size).toBe(12);
    expect((await owner.query()).body.data.series).toHaveLength(8);
    expect((await owner.query({ limit: 0 })).body.data.series).toHaveLength(1);
  });

  it('takes a token back with the same filters only, however they are written', async () => {
    await record({ day: 1 }, { day: 2 });
    const dimensions = {};
    const { next_token } = (await owner.query({ limit: 1, dimensions })).body.data;
    expect((await owner.query({ from_utc: '2025-01-01T01:00:00+01:00', next_token })).status).toBe(200);
    for (const other of [
      { kpi_code: 'x' },
      { channel_code: 'x' },
      { dimensions: { a: 1 } },
      { to_utc: '2025-06-01T00:00:00Z' },
    ]) {
      const { status, body } = await owner.query({ ...other, next_token });
      expect([status, body.error?.error_code]).toEqual([400, 'next_token_invalid']);
    }
  });

  it('finds dimensions by containment, with literal values', async () => {
    await record(
      { value: 1, dimensions: { department: 'apparel', floor: 1 } },
      { value: 2, dimensions: { department: 'apparel', floor: '1' } },
      { value: 3, dimensions: { department: '%', floor: 1 } },
      { value: 4, dimensions: { brand: null } },
      { value: 5 },
    );
    expect(await sorted({ dimensions: { department: 'apparel' } })).toEqual([1, 2]);
    expect(await sorted({ dimensions: { floor: 1 } })).toEqual([1, 3]);
    expect(await sorted({ dimensions: { department: '%' } })).toEqual([3]);
    expect(await sorted({ dimensions: { brand: null } })).toEqual([4]);
    expect(await sorted({ dimensions: { department: 'app' } })).toEqual([]);
    expect(await sorted({ dimensions: {} })).toEqual([1, 2, 3, 4, 5]);
    expect(tagsOf(await owner.query({ dimensions: { a: { b: 1 } } }))).toEqual(['not_flat']);
  });

  it('keeps facilities, channels and buckets apart', async () => {
    await record(
      { value: 1 },
      { value: 2, logical_guid: 'store-1' },
      { value: 3, logical_guid: 'store-2' },
      { value: 4, channel_code: 'web' },
      { value: 5, bucket: 'fiscal' },
      { value: 6, scope: 'org', logical_guid: 'store-1' },
    );
    expect(await sorted({})).toEqual([1, 4]);
    expect(await days({ logical_guid: 'store-1' })).toEqual([2]);
    expect(await days({ channel_code: 'web' })).toEqual([4]);
    expect(await days({ bucket: 'fiscal' })).toEqual([5]);
    expect(await days({ scope: 'org', logical_guid: 'store-1' })).toEqual([6]);
    expect(tagsOf(await owner.query({ scope: 'facility' }))).toEqual(['required']);
  });

  it('shows nothing of another organisation', async () => {
    await record({ value: 1 });
    const another = await KpiOwner.of(api);
    expect(await another.series()).toEqual([]);
  });

  it.each(['kpi_code', 'bucket', 'from_utc', 'to_utc'])('asks for %s', async (field) => {
    const { status, body } = await owner.query({ [field]: undefined });
    expect([status, body.error?.details]).toEqual([400, { fields: [{ path: field, tag: 'required' }] }]);
  });
});
