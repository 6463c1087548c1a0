import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { TestApi, writeGrounds } from '../support/api.js';
import { anEventType, registerType, type Organisation } from '../support/event-types.js';
import { anEvent } from '../support/events.js';
import { feedOf, ownType, published, publishedOne } from '../support/published.js';

const needs = (field: string): object => ({
  type: 'object',
  required: [field],
  properties: { [field]: { type: 'string' } },
});
const UNLISTED = { path: 'action', tag: 'not_in_catalog' };

describe('an event that is published is held to the catalog', () => {
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

  const setPolicy = async (catalog_policy: string): Promise<void> => {
    const { body } = await api.call('/access/org/get', {}, owner);
    const request = { ...writeGrounds(owner.orgcode), expected_revision: body.data.org.revision, catalog_policy };
    expect((await api.call('/access/org/set', request, owner)).status).toBe(200);
  };

  describe('at the level of its type', () => {
    it('and stored unchecked, stored with a flag, or rejected; a bad one sinks no other', async () => {
      const off = await ownType(api, owner, { validation: 'off', schema: needs('id') });
      const warn = await ownType(api, owner, { validation: 'warn', schema: needs('id') });
      const enforce = await ownType(api, owner, { validation: 'enforce', schema: needs('id') });
      const bad = [off, warn, enforce].map(({ event }) => event({ id: 7 }));
      const good = [off, warn, enforce].map(({ event }) => event({ id: 'x' }));
      const [unchecked, flagged, refused, ...fine] = await published(api, owner, [...bad, ...good]);
      const place = { path: 'payload.id', tag: 'schema_type' };
      for (const item of [unchecked, ...fine]) {
        expect(item).toMatchObject({ status: 'accepted' });
        expect(item).not.toHaveProperty('flags');
      }
      expect(flagged).toMatchObject({ status: 'accepted', flags: ['breaks_schema'], warnings: [place] });
      expect(refused).toEqual({
        index: 2,
        event_id: bad[2]?.event_id,
        status: 'rejected',
        error: { error_code: 'event_refused_by_catalog', message: expect.any(String), fields: [place] },
      });
      const stored = await feedOf(api, owner, 'own');
      expect(stored.map(({ event_id, payload, flags }) => [event_id, payload, flags])).toEqual(
        [bad[0], bad[1], ...good].map((event) => [
          event?.event_id,
          event?.payload,
          event === bad[1] ? ['breaks_schema'] : undefined,
        ]),
      );
    });

    it('and needs a payload where the schema does', async () => {
      const warn = await ownType(api, owner, { validation: 'warn', schema: needs('id') });
      const enforce = await ownType(api, owner, { validation: 'enforce', schema: needs('id') });
      const [flagged, refused] = await published(api, owner, [warn.event(), enforce.event()]);
      const place = { path: 'payload', tag: 'schema_type' };
      expect([flagged?.warnings, refused?.error?.fields]).toEqual([[place], [place]]);
      expect((await feedOf(api, owner, 'own')).at(-1)).not.toHaveProperty('payload');
    });

    it('and states no figure freely where its facts are enforced', async () => {
      const facts = { references: 'required', numerics: ['units'] };
      const { event } = await ownType(api, owner, { validation: 'enforce', facts });
      const grounds = { referenced_calc_ids: ['c'] };
      const items = await published(api, owner, [
        event({ ...grounds, units: 4, units_calc_id: 'c' }),
        event({ ...grounds, units: 4 }),
      ]);
      expect(items.map(({ error }) => error?.fields)).toEqual([
        undefined,
        [{ path: 'payload.units', tag: 'number_without_source' }],
      ]);
    });

    it('of a built-in type too: each takes its specimen, and one with facts no free figures', async () => {
      const types = api.app
        .get(BuiltinCatalog)
        .newestTypes()
        .filter(({ service }) => service !== 'ipm');
      const items = await published(
        api,
        owner,
        types.map(({ specimen }) => ({ ...specimen })),
      );
      expect(items.map(({ status, flags, error }) => ({ status, flags, error }))).toEqual(
        types.map(() => ({ status: 'accepted' })),
      );
      const [plain, factual] = [types.find(({ facts }) => !facts)!, types.find(({ facts }) => facts)!];
      const bad = [plain, factual].map(({ service, action }) => anEvent({ service, action, payload: {} }));
      const [flagged, refused] = await published(api, owner, bad);
      expect(flagged).toMatchObject({ status: 'accepted', flags: ['breaks_schema'] });
      expect(refused?.error?.fields).toContainEqual({
        path: 'payload.referenced_claim_ids',
        tag: 'reference_required',
      });
    });
  });

  describe('in the version that it names', () => {
    it('and by the newest where it names none', async () => {
      const { service, action, event } = await ownType(api, owner, { validation: 'enforce', schema: needs('old') });
      const newer = anEventType({ service, action, schema_version: '1.1', validation: 'enforce', schema: needs('id') });
      expect((await registerType(api, owner, newer)).status).toBe(200);
      const named = (schema_version?: unknown): object[] =>
        [{ old: 'x' }, { id: 'x' }].map((payload) => event(payload, { schema_version }));
      const items = await published(api, owner, [...named('1.0'), ...named('1.1'), ...named(), ...named(null)]);
      const refusals = items.map(({ error }) => error?.fields?.[0]?.path);
      const newest = ['payload.id', undefined];
      expect(refusals).toEqual([undefined, 'payload.old', ...newest, ...newest, ...newest]);
    });

    it('and flagged or rejected where there is none such, also among many', async () => {
      const types = await Promise.all(
        ['warn', 'enforce'].map((validation) => ownType(api, owner, { validation, schema: needs('id') })),
      );
      for (const { event } of types) {
        const events = ['1.0', ...Array.from({ length: 120 }, (_, n) => `7.${n}`), 'one', '1.0'].map((schema_version) =>
          event({ id: 'x' }, { schema_version }),
        );
        const items = await published(api, owner, events);
        const made = items.slice(1, -1);
        const isWarning = event === types[0]?.event;
        expect([items[0], items.at(-1)]).toMatchObject([{ status: 'accepted' }, { status: 'accepted' }]);
        expect([items[0]?.flags, items.at(-1)?.flags]).toEqual([undefined, undefined]);
        const problem = [{ path: 'schema_version', tag: 'unknown' }];
        const expected = isWarning
          ? { status: 'accepted', flags: ['schema_version_unknown'], warnings: problem }
          : { status: 'rejected', error: { fields: problem } };
        for (const item of made) expect(item).toMatchObject(expected);
      }
    });
  });

  describe('of a type that the catalog does not list', () => {
    it('is flagged, or rejected where the organisation wants that, and others of its batch are taken', async () => {
      const { event } = await ownType(api, owner, {});
      const [flagged] = await published(api, owner, [anEvent(), event({})]);
      expect(flagged).toMatchObject({ status: 'accepted', flags: ['not_in_catalog'], warnings: [] });
      await setPolicy('reject');
      const items = await published(api, owner, [anEvent(), event({}), anEvent()]);
      expect(items.map(({ status }) => status)).toEqual(['rejected', 'accepted', 'rejected']);
      expect(items[0]?.error).toMatchObject({ error_code: 'event_refused_by_catalog', fields: [UNLISTED] });
      await setPolicy('accept');
      expect(await publishedOne(api, owner, anEvent())).toMatchObject({ status: 'accepted' });
      expect((await feedOf(api, owner, 'pos')).map(({ flags }) => flags)).toEqual([
        ['not_in_catalog'],
        ['not_in_catalog'],
      ]);
    });

    it('is of no type that has its dots elsewhere', async () => {
      const { action, event } = await ownType(api, owner, { validation: 'enforce', schema: needs('id') });
      const [first, ...rest] = action.split('.');
      const decoy = anEvent({ service: `own.${first}`, action: rest.join('.') });
      const builtin = anEvent({ service: 'scm.purchase_order', action: 'released' });
      for (const events of [
        [decoy, event({ id: 7 }), builtin],
        [event({ id: 7 }), decoy, builtin],
      ]) {
        const items = await published(api, owner, events);
        const byEvent = events.map((one, i) => [one === decoy || one === builtin, items[i]?.flags]);
        expect(byEvent).toEqual(
          events.map((one) => (one.service === 'own' ? [false, undefined] : [true, ['not_in_catalog']])),
        );
        expect(items.find((_, i) => events[i]?.service === 'own')).toMatchObject({ status: 'rejected' });
      }
    });
  });

  describe('as it is now, also in a process that knew it otherwise', () => {
    it('when a stricter version is registered', async () => {
      const { service, action, event } = await ownType(api, owner, { validation: 'warn', schema: needs('id') });
      for (const where of [api, other])
        expect(await publishedOne(where, owner, event({}))).toMatchObject({ flags: ['breaks_schema'] });
      const stricter = anEventType({
        service,
        action,
        schema_version: '1.1',
        validation: 'enforce',
        schema: needs('id'),
      });
      await registerType(api, owner, stricter);
      for (const where of [other, api])
        expect(await publishedOne(where, owner, event({}))).toMatchObject({ status: 'rejected' });
    });

    it('when the type of events that were rejected is registered', async () => {
      await setPolicy('reject');
      const type = anEventType();
      const event = (): object => anEvent({ service: type.service, action: type.action });
      for (const where of [api, other])
        expect(await publishedOne(where, owner, event())).toMatchObject({ status: 'rejected' });
      await registerType(api, owner, type);
      for (const where of [other, api])
        expect(await publishedOne(where, owner, event())).toMatchObject({ status: 'accepted' });
    });

    it('when the policy changes, either way', async () => {
      for (const [policy, status] of [
        ['reject', 'rejected'],
        ['accept', 'accepted'],
        ['reject', 'rejected'],
      ] as const) {
        await setPolicy(policy);
        for (const where of [other, api]) expect(await publishedOne(where, owner, anEvent())).toMatchObject({ status });
      }
    });
  });

  it('of its own organisation alone', async () => {
    const { event } = await ownType(api, owner, { validation: 'enforce', schema: needs('id') });
    const stranger = await api.anOwner();
    expect(await publishedOne(api, stranger, event({}))).toMatchObject({
      status: 'accepted',
      flags: ['not_in_catalog'],
    });
    expect(await publishedOne(api, owner, event({}))).toMatchObject({ status: 'rejected' });
  });
});
