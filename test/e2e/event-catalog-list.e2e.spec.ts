import fc from 'fast-check';
import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { TestApi } from '../support/api.js';
import { anEventType, everyItem, registerType, type Organisation } from '../support/event-types.js';

const PATH = '/event/catalog/list';
const nameOf = ({ service, action }: Record<string, unknown>): string => `${String(service)}.${String(action)}`;
const inOrder = (names: string[]): string[] => names.toSorted((a, b) => (a < b ? -1 : Number(a > b)));

describe('POST /ipm/event/catalog/list', () => {
  let api: TestApi;
  let builtin: BuiltinCatalog;
  let owner: Organisation;
  const own = ['zeta.last', 'thing.b', 'thing.a', 'thing_a.a', 'thinga.x', 'a', 'thing.a.deep'];
  beforeAll(async () => {
    api = await TestApi.start();
    builtin = api.app.get(BuiltinCatalog);
    owner = await api.anOwner();
    for (const [index, action] of own.entries()) {
      const service = index % 2 === 0 ? 'mid' : 'aaa'; // before and between the built-in services
      expect((await registerType(api, owner, anEventType({ service, action }))).status).toBe(200);
    }
  });
  afterAll(() => api.close());

  const everyName = (): string[] => [
    ...builtin.newestTypes().map((type) => nameOf({ ...type })),
    ...own.map((action, index) => `${index % 2 === 0 ? 'mid' : 'aaa'}.${action}`),
  ];

  it.each([1, 7, 256])('lists built-in and registered types by name, each once, over pages of %i', async (limit) => {
    const { all, pages } = await everyItem(api, PATH, owner, { limit });
    const byServiceAndAction = everyName().sort((a, b) => {
      const [[aService, ...aAction], [bService, ...bAction]] = [a.split('.'), b.split('.')];
      return aService === bService ? (aAction.join('.') < bAction.join('.') ? -1 : 1) : aService! < bService! ? -1 : 1;
    });
    expect(all.map(nameOf)).toEqual(byServiceAndAction);
    expect(pages.slice(0, -1).every((length) => length === limit)).toBe(true);
  });

  it('takes eight where no limit is given, and no body for an empty one', async () => {
    const { body } = await api.send(PATH, owner);
    expect(body.data.items).toHaveLength(8);
    expect(body.data.next_token).toBeDefined();
  });

  it('describes a built-in and a registered type', async () => {
    const { body } = await api.call(PATH, { service: 'mid', action: 'thing.a' }, owner);
    expect(body.data).toEqual({
      items: [
        {
          service: 'mid',
          action: 'thing.a',
          schema_url: 'https://ipm.example/ipm/schema/mid/thing.a/1.0',
          schema_version: '1.0',
          redaction: {},
          validation: 'warn',
          origin: 'organisation',
        },
      ],
    });
    const type = builtin.findNewest('scm', 'purchase_order.released')!;
    const released = await api.call(PATH, { service: 'scm', action: 'purchase_order.released' }, owner);
    expect(released.body.data.items).toEqual([
      expect.objectContaining({ origin: 'builtin', redaction: type.redaction, description: type.description }),
    ]);
  });

  it('filters by service, action and the beginning of the action, all literally', async () => {
    const names = async (filters: object): Promise<string[]> =>
      (await everyItem(api, PATH, owner, { ...filters, limit: 256 })).all.map(nameOf);
    expect(await names({ service: 'aaa' })).toEqual(['aaa.a', 'aaa.thing.b', 'aaa.thing_a.a']);
    expect(await names({ action: 'thing.a' })).toEqual(['mid.thing.a']);
    expect(await names({ action_prefix: 'thing.' })).toEqual(['aaa.thing.b', 'mid.thing.a', 'mid.thing.a.deep']);
    expect(await names({ action_prefix: 'thing_' })).toEqual(['aaa.thing_a.a']);
    expect(await names({ service: 'mid', action_prefix: 'thing' })).toEqual([
      'mid.thing.a',
      'mid.thing.a.deep',
      'mid.thinga.x',
    ]);
    for (const pattern of ['%', '_', '*', 'thing%', 'thing*', 'thing?', 'thing.[ab]', "'", '\\', 'THING']) {
      expect([pattern, await names({ action_prefix: pattern })]).toEqual([pattern, []]);
    }
    for (const service of ['%', '*', 'aa_', 'AAA']) expect([service, await names({ service })]).toEqual([service, []]);
  });

  it('finds with any prefix exactly what begins with it', async () => {
    const pieces = fc.constantFrom('thing', '.', '_', 'a', '%', '*', 'purchase_order', 'stock', '\\', 'é');
    const prefix = fc.array(pieces, { minLength: 1, maxLength: 3 }).map((texts) => texts.join(''));
    await fc.assert(
      fc.asyncProperty(prefix, fc.constantFrom(3, 256), async (action_prefix, limit) => {
        const { all } = await everyItem(api, PATH, owner, { action_prefix, limit });
        const expected = everyName().filter((name) => name.slice(name.indexOf('.') + 1).startsWith(action_prefix));
        expect(inOrder(all.map(nameOf))).toEqual(inOrder(expected));
      }),
      { numRuns: 40 },
    );
  });

  it('lets the newest version win, 1.10 after 1.9', async () => {
    const action = 'versions.of';
    for (const schema_version of ['1.9', '1.10', '1.2']) {
      const type = anEventType({ service: 'newest', action, schema_version, description: `as of ${schema_version}` });
      expect((await registerType(api, owner, type)).status).toBe(200);
    }
    const { body } = await api.call(PATH, { service: 'newest' }, owner);
    expect(body.data.items).toEqual([
      expect.objectContaining({ action, schema_version: '1.10', description: 'as of 1.10' }),
    ]);
  });

  it('shows nothing of another organisation', async () => {
    const other = await api.anOwner();
    const { all } = await everyItem(api, PATH, other, { limit: 256 });
    expect(inOrder(all.map(nameOf))).toEqual(inOrder(builtin.newestTypes().map((type) => nameOf({ ...type }))));
  });

  it('refuses a token made for other filters, another list or another organisation', async () => {
    const { body } = await api.call(PATH, { limit: 1, service: 'aaa' }, owner);
    const { next_token } = body.data as { next_token: object };
    const other = await api.anOwner();
    const refused = await Promise.all([
      api.call(PATH, { limit: 1, service: 'mid', next_token }, owner),
      api.call(PATH, { limit: 1, next_token }, owner),
      api.call('/export/contract/list', { service: 'aaa', next_token }, owner),
      api.call(PATH, { limit: 1, service: 'aaa', next_token }, other),
    ]);
    for (const { status, body: answer } of refused)
      expect([status, answer.error?.error_code]).toEqual([400, 'next_token_invalid']);
    expect((await api.call(PATH, { limit: 1, service: 'aaa', next_token }, owner)).status).toBe(200);
  });
});
