import { TestApi } from '../support/api.js';
import { anEvent } from '../support/events.js';
import { LOCAL_ENDPOINTS, tagsOf, WebhookOwner } from '../support/webhooks.js';

/** Beside what a spec publishes there is what IPM says of the owner's key. */
describe('webhook/filter/test', () => {
  let api: TestApi;
  let owner: WebhookOwner;
  beforeAll(async () => (api = await TestApi.start(LOCAL_ENDPOINTS)));
  beforeEach(async () => (owner = await WebhookOwner.of(api)));
  afterAll(() => api.close());

  const publish = async (events: object[]): Promise<void> => {
    const { body } = await owner.call('/event/publish', { events });
    expect(body.data.accepted).toBe(events.length);
  };
  const sale = (total: number, fields: object = {}): object =>
    anEvent({ service: 'till', action: 'sale.closed', event_id: `sale-${total}`, payload: { total }, ...fields });
  const test = async (
    fields: object,
  ): Promise<{ looked_at: number; matched: number; items: { event_id: string }[] }> => {
    const answer = await owner.call('/webhook/filter/test', fields);
    expect(answer.status).toBe(200);
    return answer.body.data;
  };
  const idsOf = ({ items }: { items: { event_id: string }[] }): string[] => items.map(({ event_id }) => event_id);

  it('says which of the newest events filters would match, newest first', async () => {
    const occurred_at = new Date().toISOString().replace('Z', '123Z');
    await publish([sale(1), sale(150, { occurred_at }), sale(90), sale(200), sale(300, { action: 'sale.voided' })]);
    const event_filters = [
      { service: 'till', actions: ['sale.closed'], payload_filter: { field: 'total', gte: 100 } },
      { service: 'nobody' },
    ];
    const tested = await test({ event_filters });
    expect(tested).toMatchObject({ looked_at: 6, matched: 2 });
    expect(idsOf(tested)).toEqual(['sale-200', 'sale-150']);
    const position = expect.stringMatching(/^\d+$/);
    expect(tested.items[1]).toEqual({
      event_id: 'sale-150',
      service: 'till',
      action: 'sale.closed',
      occurred_at,
      position,
    });
    const one = await test({ event_filters, limit: 1 });
    expect([one.matched, idsOf(one)]).toEqual([2, ['sale-200']]);
  });

  it('takes the filters of a webhook', async () => {
    const { webhook_id } = (await owner.create({ event_filters: [{ service: 'till' }] })).body.data;
    await publish([sale(1), anEvent({ service: 'other' })]);
    expect(idsOf(await test({ webhook_id }))).toEqual(['sale-1']);
  });

  it('looks at nothing that occurred before from_utc', async () => {
    const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
    await publish([sale(1, { occurred_at: ago(5) }), sale(2, { occurred_at: ago(1) })]);
    const tested = await test({ event_filters: [{ service: 'till' }], from_utc: ago(2) });
    expect([tested.looked_at, idsOf(tested)]).toEqual([2, ['sale-2']]);
  });

  it('looks at the newest thousand, and at nothing of another organisation', async () => {
    await publish([sale(0)]);
    await publish(Array.from({ length: 999 }, (_, i) => sale(i + 1)));
    await publish([sale(1_000)]);
    expect(await test({ event_filters: [{ service: 'till' }] })).toMatchObject({ looked_at: 1_000, matched: 1_000 });
    const oldest = { service: 'till', payload_filter: { field: 'total', eq: 0 } };
    expect((await test({ event_filters: [oldest] })).matched).toBe(0);
    const other = await WebhookOwner.of(api);
    const { body } = await other.call('/webhook/filter/test', { event_filters: [{ service: '*' }] });
    expect(body.data.items.map(({ service }: { service: string }) => service)).toEqual(['ipm']);
  });

  it('stops where more would have to be parsed than is good for other calls', async () => {
    const payload = { text: 'x'.repeat(250_000) };
    const large = (i: number): object => sale(i, { payload });
    for (let i = 0; i < 90; i += 30) await publish(Array.from({ length: 30 }, (_, n) => large(i + n)));
    const { looked_at } = await test({
      event_filters: [{ service: 'till', payload_filter: { field: 'no', exists: true } }],
    });
    expect(looked_at).toBeGreaterThan(60);
    expect(looked_at).toBeLessThan(70);
  });

  it.each([
    [{}, 'either_these_or_webhook_id'],
    [{ webhook_id: 'w', event_filters: [{ service: '*' }] }, 'either_these_or_webhook_id'],
    [{ event_filters: [] }, 'empty'],
    [{ event_filters: [{ service: '*', payload_filter: { and: [] } }] }, 'empty'],
  ])('refuses %j', async (fields, tag) => {
    const refused = await owner.call('/webhook/filter/test', fields);
    expect([refused.status, refused.body.error?.error_code, tagsOf(refused)]).toEqual([400, 'webhook_invalid', [tag]]);
  });

  it('does not know somebody else’s webhook', async () => {
    const { webhook_id } = (await owner.create()).body.data;
    const other = await WebhookOwner.of(api);
    expect((await other.call('/webhook/filter/test', { webhook_id })).status).toBe(404);
  });
});
