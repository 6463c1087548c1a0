import { randomBytes } from 'node:crypto';
import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { VALIDATION_LEVELS } from '../../src/catalog/event-type.js';
import { MASK } from '../../src/catalog/redaction.js';
import { REDACTION_MODES } from '../../src/catalog/redaction-rules.js';
import { TestApi } from '../support/api.js';
import { anEventType, registerType, type Organisation } from '../support/event-types.js';
import { anEvent } from '../support/events.js';
import { ProductProcess } from '../support/product-process.js';
import { feedOf, ownType, published, publishedOne, type StoredEvent } from '../support/published.js';

const HASH = /^ipm-hash:[A-Za-z0-9_-]{43}$/;
/** What the log and the feed add to an event, and what is said of the call that brought it. */
const SYSTEM_FIELDS = ['position', 'recorded_at', 'origin', 'orgcode', 'flags', 'request_context'];

jest.setTimeout(60_000);

describe('what redaction takes from an event', () => {
  let api: TestApi;
  /** A second process on the same database. */
  let other: TestApi;
  let owner: Organisation;

  beforeAll(async () => {
    api = await TestApi.start();
    other = await TestApi.startOn(api.database);
  });
  beforeEach(async () => {
    owner = await api.anOwner();
  });
  afterAll(async () => {
    await other.app.close();
    await api.close();
  });

  const lastOf = async (who = owner): Promise<StoredEvent> => (await feedOf(api, who, 'own')).at(-1)!;
  const aCanary = (): string => `canary${randomBytes(8).toString('hex')}`;

  /** The tables of the database in which a text stands, whatever the column. */
  async function tablesWith(text: string): Promise<string[]> {
    const tables = await api.database.asOwner<{ name: string }>(
      `select tablename::text as name from pg_tables where schemaname = 'public'`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await api.database.asOwner(`select 1 from "${name}" t where strpos(t::text, $1) > 0 limit 1`, [
        text,
      ]);
      if (rows.length > 0) found.push(name);
    }
    return found;
  }

  describe('is nowhere', () => {
    const redaction = { card: 'mask', 'buyer.email': 'hash', note: 'drop', 'lines[].phone': 'mask', 'tags[]': 'hash' };
    const holding = (canary: string): object => ({
      card: canary,
      buyer: { email: [canary, { deeper: canary }], name: 'shown' },
      note: canary,
      lines: [{ phone: canary }, { phone: { number: canary }, sku: 'shown' }],
      tags: [canary, [canary]],
    });

    it.each(VALIDATION_LEVELS)('in the answer and in the database, with the level %s', async (validation) => {
      const { event } = await ownType(api, owner, { validation, redaction });
      const canary = aCanary();
      const item = await publishedOne(api, owner, event(holding(canary)));
      expect(item).toMatchObject({ status: 'accepted' });
      expect((await lastOf()).payload).toEqual({
        card: MASK,
        buyer: { email: expect.stringMatching(HASH), name: 'shown' },
        lines: [{ phone: MASK }, { phone: MASK, sku: 'shown' }],
        tags: [expect.stringMatching(HASH), expect.stringMatching(HASH)],
      });
      expect([JSON.stringify(item).includes(canary), await tablesWith(canary)]).toEqual([false, []]);
      expect(await tablesWith('shown')).not.toEqual([]);
    });

    it('where the event breaks its schema, whether it is stored or rejected', async () => {
      const canary = aCanary();
      const schema = {
        type: 'object',
        properties: { card: { type: 'number' }, buyer: { type: 'object' }, lines: { type: 'array' } },
      };
      for (const validation of ['warn', 'enforce']) {
        const { event } = await ownType(api, owner, { validation, redaction, schema });
        const items = await published(api, owner, [
          event({ ...holding(canary), sku: 1 }),
          event({ ...holding(canary), buyer: [{ email: canary }] }),
          event({ ...holding(canary), lines: { phone: canary } }),
          event([holding(canary)]),
        ]);
        const breaks = validation === 'warn' ? { flags: ['breaks_schema'] } : { status: 'rejected' };
        expect(items).toMatchObject([breaks, breaks, breaks, breaks]);
        expect(JSON.stringify(items)).not.toContain(canary);
      }
      expect(await tablesWith(canary)).toEqual([]);
    });

    it('in what the process logs, however talkative it is', async () => {
      const { event } = await ownType(api, owner, {
        validation: 'enforce',
        redaction,
        schema: { type: 'object', properties: { note: { type: 'string' } } },
      });
      const canary = aCanary();
      const process = await ProductProcess.start(api.database.url, { LOG_LEVEL: 'trace' });
      try {
        const events = [event(holding(canary)), event({ ...holding(canary), note: [canary] }), event(holding(canary))];
        const answer = await fetch(`${process.url}/ipm/event/publish`, {
          method: 'POST',
          headers: { 'x-api-key': owner.key, 'x-orgcode': owner.orgcode, 'content-type': 'application/json' },
          body: JSON.stringify({ events }),
        });
        const { data } = (await answer.json()) as { data: object };
        expect(data).toMatchObject({ accepted: 2, rejected: 1 });
      } finally {
        await process.stop();
      }
      expect(process.output).toContain('event/publish');
      expect(process.output).not.toContain(canary);
      expect(await tablesWith(canary)).toEqual([]);
    });

    it('also with an event of a type that only looks alike in front of it', async () => {
      const { action, event } = await ownType(api, owner, { redaction });
      const [first, ...rest] = action.split('.');
      const canary = aCanary();
      const decoy = anEvent({ service: `own.${first}`, action: rest.join('.') });
      await published(other, owner, [decoy, event(holding(canary))]);
      expect(await tablesWith(canary)).toEqual([]);
    });
  });

  describe('as a hash', () => {
    const hashOf = ({ payload }: StoredEvent): unknown => (payload as { value: unknown }).value;

    it('is the same for equal values of an organisation, in any process, and another one elsewhere', async () => {
      const change = { redaction: { value: 'hash' } };
      const stranger = await api.anOwner();
      const [ours, theirs] = [await ownType(api, owner, change), await ownType(api, stranger, change)];
      await published(api, owner, [ours.event({ value: { a: 1, b: [2] } }), ours.event({ value: 'x' })]);
      await published(other, owner, [ours.event({ value: { b: [2], a: 1 } })]);
      await published(api, stranger, [theirs.event({ value: { a: 1, b: [2] } })]);
      const [first, different, same] = (await feedOf(api, owner, 'own')).map(hashOf);
      expect(first).toMatch(HASH);
      expect([same === first, different === first]).toEqual([true, false]);
      const elsewhere = hashOf(await lastOf(stranger));
      expect(elsewhere).toMatch(HASH);
      expect(elsewhere).not.toBe(first);
    });
  });

  describe('by a rule that is registered after the first event', () => {
    const aVersion = (type: object, version: string, redaction: object): object =>
      anEventType({ ...type, schema_version: version, redaction });

    it('is gone at once, also in a process that knew the type without it', async () => {
      const { service, action, event } = await ownType(api, owner, {});
      for (const where of [api, other]) await published(where, owner, [event({ note: 'open' })]);
      await registerType(api, owner, aVersion({ service, action }, '1.1', { note: 'mask' }));
      for (const where of [other, api]) {
        await published(where, owner, [
          event({ note: 'secret' }),
          event({ note: 'secret' }, { schema_version: '1.0' }),
        ]);
      }
      const notes = (await feedOf(api, owner, 'own')).map(({ payload }) => (payload as { note: string }).note);
      expect(notes).toEqual(['open', 'open', MASK, MASK, MASK, MASK]);
    });

    it('is gone also where the type was not listed at all, or came with the product', async () => {
      const builtin = api.app.get(BuiltinCatalog).findNewest('scm', 'purchase_order.released')!;
      const types = [
        { service: 'own', action: 'basket.closed' },
        { service: builtin.service, action: builtin.action },
      ];
      for (const type of types) {
        for (const where of [api, other])
          await published(where, owner, [anEvent({ ...type, payload: { remark: 'open' } })]);
        const redaction = { remark: 'drop' };
        expect((await registerType(api, owner, aVersion(type, '1.1', redaction))).status).toBe(200);
        for (const where of [other, api]) {
          await published(where, owner, [anEvent({ ...type, payload: { remark: 'secret', other: 1 } })]);
        }
        const payloads = (await feedOf(api, owner, type.service)).map(({ payload }) => payload);
        expect(payloads).toEqual([{ remark: 'open' }, { remark: 'open' }, { other: 1 }, { other: 1 }]);
      }
    });

    it('is gone from every event that is sent after the registration was answered, while others are on their way', async () => {
      const { service, action, event } = await ownType(api, owner, {});
      const sentAfter: string[] = [];
      let isRegistered = false;
      let isOver = false;
      const publisher = async (where: TestApi): Promise<void> => {
        while (!isOver) {
          const events = [event({ note: 'open' }), event({ note: 'open' })];
          if (isRegistered) sentAfter.push(...events.map(({ event_id }) => event_id));
          await published(where, owner, events);
        }
      };
      const publishers = [api, other, other].map(publisher);
      while ((await feedOf(api, owner, 'own')).length < 20);
      await registerType(api, owner, aVersion({ service, action }, '1.1', { note: 'drop' }));
      isRegistered = true;
      while (sentAfter.length < 20) await feedOf(api, owner, 'own');
      isOver = true;
      await Promise.all(publishers);
      const stored = await api.database.asOwner<{ event_id: string; envelope: string }>(
        `select event_id, envelope from event where orgcode = $1 and service = 'own'`,
        [owner.orgcode],
      );
      const open = new Set(stored.filter(({ envelope }) => envelope.includes('open')).map(({ event_id }) => event_id));
      expect(sentAfter.filter((id) => open.has(id))).toEqual([]);
      expect(stored.length).toBeGreaterThan(open.size);
    });
  });

  describe('is no hindrance', () => {
    const asPublished = (stored: StoredEvent): object =>
      Object.fromEntries(Object.entries(stored).filter(([name]) => !SYSTEM_FIELDS.includes(name)));

    it('to publishing what the feed gave in another organisation that enforces the type', async () => {
      const card = { type: 'string', format: 'email' };
      const strict = {
        validation: 'enforce',
        schema: {
          type: 'object',
          additionalProperties: false,
          required: ['card', 'number', 'lines', 'tags', 'note'],
          properties: {
            card,
            number: { type: 'integer', minimum: 1 },
            note: { enum: ['a', 'b'] },
            lines: {
              type: 'array',
              minItems: 1,
              items: { type: 'object', required: ['at'], properties: { at: card } },
            },
            tags: { type: 'array', items: { type: 'string', maxLength: 8 } },
          },
        },
      };
      const payload = { card: 'a@b.example', number: 7, note: 'a', lines: [{ at: 'a@b.example' }], tags: ['t', 'u'] };
      for (const mode of REDACTION_MODES) {
        const redaction = { card: mode, number: mode, note: mode, 'lines[].at': mode, 'tags[]': mode };
        const type = { ...strict, redaction, action: `thing.by_${mode}` };
        const stranger = await api.anOwner();
        const { event } = await ownType(api, owner, type);
        await ownType(api, stranger, type);
        expect(await publishedOne(api, owner, event(payload))).toMatchObject({ status: 'accepted' });
        const given = await lastOf();
        expect(JSON.stringify(given.payload)).not.toContain('a@b.example');
        const item = await publishedOne(api, stranger, asPublished(given));
        expect(item).toMatchObject({ status: 'accepted' });
        expect(item).not.toHaveProperty('flags');
        expect((await lastOf(stranger)).payload).toEqual(given.payload);
      }
    });

    it('to doing so with every built-in type', async () => {
      const types = api.app.get(BuiltinCatalog).newestTypes();
      const redacting = types.filter(({ redaction }) => Object.keys(redaction).length > 0);
      const stranger = await api.anOwner();
      for (const { service, action, validation } of redacting.filter((type) => type.validation !== 'enforce')) {
        const stricter = anEventType({ service, action, schema_version: '9.0', validation: 'enforce' });
        expect([validation, (await registerType(api, stranger, stricter)).status]).toEqual(['warn', 200]);
      }
      const specimens = redacting.map(({ specimen, service, action }) => ({ ...specimen, service, action }));
      await published(api, owner, specimens);
      const given = await feedOf(api, owner);
      const events = given.filter(({ service }) => service !== 'ipm').map(asPublished);
      expect(events).toHaveLength(redacting.length);
      const items = await published(
        api,
        stranger,
        events.map((event) => ({ ...event, schema_version: undefined })),
      );
      expect(items.map(({ status, error }) => ({ status, error }))).toEqual(items.map(() => ({ status: 'accepted' })));
    });

    it('to finding any other fault: a mark opens no door', async () => {
      const schema = {
        type: 'object',
        properties: { email: { type: 'string', format: 'email' }, units: { type: 'number' } },
      };
      const { event } = await ownType(api, owner, { validation: 'enforce', schema, redaction: { email: 'mask' } });
      const items = await published(api, owner, [
        event({ email: MASK, units: 4 }),
        event({ email: MASK, units: 'many' }),
        event({ email: 'nobody', units: 4 }),
      ]);
      expect(items.map(({ status, error }) => [status, error?.fields])).toEqual([
        ['accepted', undefined],
        ['rejected', [{ path: 'payload.units', tag: 'schema_type' }]],
        ['rejected', [{ path: 'payload.email', tag: 'schema_format' }]],
      ]);
    });
  });
});
