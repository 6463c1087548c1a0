import { ApiKeyUsage } from '../../src/access/api-key-usage.js';
import { BuiltinCatalog } from '../../src/catalog/builtin-catalog.js';
import { compilePayloadSchema } from '../../src/catalog/payload-schema.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { anEventType, type Organisation } from '../support/event-types.js';
import { feedOf, type StoredEvent } from '../support/published.js';

interface Write {
  path: string;
  request: object;
}

describe('what IPM does itself', () => {
  let api: TestApi;
  let owner: Organisation;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  beforeEach(async () => {
    owner = await api.anOwner();
  });
  afterAll(() => api.close());

  const send = ({ path, request }: Write, who = owner): Promise<ApiAnswer> =>
    api.call(path, { ...writeGrounds(who.orgcode, 'as the spec wants it'), ...request }, who);
  const createKey = (fields: object = {}): Write => ({
    path: '/access/key/create',
    request: { roles: ['integration_view'], ...fields },
  });
  const revokeKey = (key_id: string, fields: object = {}): Write => ({
    path: '/access/key/revoke',
    request: { key_id, ...fields },
  });
  const register = (event_type: object, fields: object = {}): Write => ({
    path: '/event/catalog/register',
    request: { event_type, ...fields },
  });
  const aKeyId = async (fields: object = {}): Promise<string> =>
    (await send(createKey(fields))).body.data.key.key_id as string;

  /** What came into the log of the organisation while something was done. */
  async function eventsOf(work: () => Promise<unknown>, who = owner): Promise<StoredEvent[]> {
    const before = await feedOf(api, who);
    await work();
    const after = await feedOf(api, who);
    expect(after.slice(0, before.length)).toEqual(before);
    return after.slice(before.length);
  }

  function assertOfCatalog({ service, action, schema_version, payload }: StoredEvent): void {
    const type = api.app.get(BuiltinCatalog).findNewest(service, action)!;
    expect(schema_version).toBe(type.schemaVersion);
    expect(compilePayloadSchema(type.schema)(payload)).toEqual([]);
  }

  describe('is one event in the log of the organisation', () => {
    /** Made in the organisation of the test: the write, and the event that it leaves. */
    const writes: [string, () => Promise<Write>, object][] = [
      [
        'a key that is created',
        () => Promise.resolve(createKey({ roles: ['owner', 'auditor'], caption: 'not for others' })),
        { action: 'access.key_created', resource_type: 'api_key', payload: { roles: ['owner', 'auditor'] } },
      ],
      [
        'a key with an end',
        () => Promise.resolve(createKey({ expires_at: '2199-01-01T00:00:00.000Z' })),
        {
          action: 'access.key_created',
          payload: { roles: ['integration_view'], expires_at: '2199-01-01T00:00:00.000Z' },
        },
      ],
      [
        'a key that is revoked',
        async () => revokeKey(await aKeyId()),
        { action: 'access.key_revoked', resource_type: 'api_key', payload: { roles: ['integration_view'] } },
      ],
      [
        'a used key that is revoked',
        async () => {
          const { body } = await send(createKey());
          await api.call('/pagination/get', {}, { ...owner, key: body.data.api_key });
          await api.app.get(ApiKeyUsage).write();
          return revokeKey(body.data.key.key_id);
        },
        { action: 'access.key_revoked', payload: { last_used_at: expect.stringMatching(/:00\.000Z$/) } },
      ],
      [
        'a type that is registered',
        () => Promise.resolve(register(anEventType({ action: 'thing.made', redaction: { note: 'mask' } }))),
        {
          action: 'catalog.type_registered',
          resource_type: 'event_type',
          resource_id: 'own.thing.made',
          payload: {
            service: 'own',
            action: 'thing.made',
            schema_version: '1.0',
            validation: 'warn',
            redacted_paths: ['note'],
            tightens_built_in: false,
          },
        },
      ],
      [
        'a built-in type that is tightened',
        () =>
          Promise.resolve(
            register(
              anEventType({
                service: 'scm',
                action: 'purchase_order.released',
                schema_version: '1.1',
                validation: 'enforce',
              }),
            ),
          ),
        {
          action: 'catalog.type_registered',
          payload: { service: 'scm', schema_version: '1.1', validation: 'enforce', tightens_built_in: true },
        },
      ],
    ];

    it.each(writes)('as its catalog describes it: %s', async (_what, write, event) => {
      const given = await write();
      let answer: ApiAnswer | undefined;
      const events = await eventsOf(async () => (answer = await send(given)));
      expect([answer?.status, events.length]).toEqual([200, 1]);
      const [made] = events as [StoredEvent];
      expect(made).toMatchObject({
        ...event,
        service: 'ipm',
        origin: 'ipm',
        orgcode: owner.orgcode,
        reason: 'as the spec wants it',
        source_refs: [{ kind: 'spec', id: '1' }],
        request_context: { orgcode: owner.orgcode, roles: ['owner'], actor: answer?.body.stats?.actor },
      });
      expect(made).not.toHaveProperty('flags');
      const key_id = answer?.body.data.key?.key_id as string | undefined;
      if (key_id !== undefined) expect(made).toMatchObject({ resource_id: key_id, payload: { key_id } });
      assertOfCatalog(made);
    });

    it('which says what of a built-in type is redacted, and nothing secret of a key', async () => {
      const tightened = { service: 'scm', action: 'purchase_order.released', schema_version: '1.1' };
      const [registered] = await eventsOf(() =>
        send(register(anEventType({ ...tightened, redaction: { extra: 'drop' } }))),
      );
      const builtin = api.app.get(BuiltinCatalog).findNewest('scm', 'purchase_order.released')!;
      const { redacted_paths } = registered?.payload as { redacted_paths: string[] };
      expect([...redacted_paths].sort()).toEqual([...Object.keys(builtin.redaction), 'extra'].sort());

      let secret = '';
      const made = await eventsOf(async () => {
        const { body } = await send(createKey({ caption: 'the caption of a key' }));
        secret = (body.data.api_key as string).split('_')[2]!;
      });
      expect(secret).not.toBe('');
      expect(JSON.stringify(made)).not.toContain(secret);
      expect(JSON.stringify(made)).not.toContain('the caption of a key');
    });

    it('also what the operator does on the command line', async () => {
      const [made, ...more] = await eventsOf(() => api.aKey(owner.orgcode, 'auditor'));
      expect([made?.request_context, more]).toEqual([expect.objectContaining({ context_source: 'operator' }), []]);
      assertOfCatalog(made!);
    });

    it('that wakes who waits for it', async () => {
      const { body } = await api.call('/cdc/list', { limit: 256 }, owner);
      const waiting = api.call('/cdc/list', { next_token: body.data.next_token, wait_ms: 15_000 }, owner);
      await new Promise((resolve) => setTimeout(resolve, 100)); // it waits by now, or finds the event at once
      const startedMs = performance.now();
      const key_id = await aKeyId();
      expect((await waiting).body.data.items).toMatchObject([{ payload: { key_id } }]);
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    });

    it('for each of many at once, every one at a place of its own', async () => {
      const answers: ApiAnswer[] = [];
      const made = await eventsOf(async () => {
        answers.push(...(await Promise.all(Array.from({ length: 12 }, () => send(createKey())))));
      });
      const idsOf = (of: { key_id: string }[]): string[] => of.map(({ key_id }) => key_id).sort();
      expect(idsOf(made.map(({ payload }) => payload as { key_id: string }))).toEqual(
        idsOf(answers.map(({ body }) => body.data.key)),
      );
      expect(new Set(made.map(({ position }) => position)).size).toBe(12);
    });
  });

  describe('is no event', () => {
    it.each<[string, () => Promise<Write>, number]>([
      [
        'a key that begins after its end',
        () => Promise.resolve(createKey({ expires_at: '1999-01-01T00:00:00Z' })),
        400,
      ],
      ['a key of no role', () => Promise.resolve(createKey({ roles: [] })), 400],
      ['an unknown key that is revoked', () => Promise.resolve(revokeKey('none')), 404],
      ['the last owner key', async () => revokeKey(await ownKeyId()), 409],
      ['a type that breaks a rule', () => Promise.resolve(register(anEventType({ schema: { $id: 'x' } }))), 400],
      ['a type of IPM itself', () => Promise.resolve(register(anEventType({ service: 'ipm' }))), 409],
      ['a built-in type that is loosened', () => Promise.resolve(register(loosened)), 409],
    ])('where it is refused: %s', async (_what, write, status) => {
      const given = await write();
      expect(
        await eventsOf(async () => {
          expect((await send(given)).status).toBe(status);
        }),
      ).toEqual([]);
    });

    it('where it was done already', async () => {
      const [revoked, type] = [await aKeyId(), anEventType()];
      for (const write of [revokeKey(revoked), register(type)]) {
        const made = await eventsOf(async () => {
          expect([(await send(write)).status, (await send(write)).status]).toEqual([200, 409]);
        });
        expect(made).toHaveLength(1);
      }
    });

    it('where the caller may not', async () => {
      const viewer = { ...owner, key: await api.aKey(owner.orgcode, 'integration_view') };
      const made = await eventsOf(async () => {
        for (const write of [createKey(), revokeKey('none'), register(anEventType())])
          expect((await send(write, viewer)).status).toBe(403);
      });
      expect(made).toEqual([]);
    });

    it('where the commit fails, and then neither event nor change is there', async () => {
      await api.database.asOwner(`
        create function refuse_commit() returns trigger language plpgsql as
          $$ begin raise exception 'no commit for %', new.orgcode; end $$`);
      await api.database.asOwner(`
        create constraint trigger refuse_commit after insert on event_key deferrable initially deferred
        for each row when (new.orgcode = '${owner.orgcode}') execute function refuse_commit()`);
      const keysBefore = (await api.call('/access/key/list', {}, owner)).body.data.items;
      const made = await eventsOf(async () => {
        for (const write of [createKey(), register(anEventType())]) expect((await send(write)).status).toBe(500);
      });
      await api.database.asOwner('drop function refuse_commit cascade');
      expect(made).toEqual([]);
      expect((await api.call('/access/key/list', {}, owner)).body.data.items).toEqual(keysBefore);
      expect((await api.call('/event/catalog/list', { service: 'own' }, owner)).body.data.items).toEqual([]);
      expect(await eventsOf(() => send(createKey()))).toHaveLength(1);
    });

    it('when it is asked again under the same idempotency key, also at the same time', async () => {
      const revoked = await aKeyId();
      const idempotency_key = 'once';
      for (const write of [
        createKey({ idempotency_key }),
        revokeKey(revoked, { idempotency_key }),
        register(anEventType(), { idempotency_key }),
      ]) {
        const made = await eventsOf(async () => {
          const twins = await Promise.all([send(write), send(write), send(write)]);
          const again = await send(write);
          expect([...twins, again].filter(({ status }) => status === 200).length).toBeGreaterThan(1);
          expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
        });
        expect(made).toHaveLength(1);
      }
    });
  });

  it('is seen by no other organisation', async () => {
    const stranger = await api.anOwner();
    let made: StoredEvent[] = [];
    const theirs = await eventsOf(async () => {
      made = await eventsOf(async () => {
        await send(revokeKey(await aKeyId()));
        await send(register(anEventType()));
      });
    }, stranger);
    expect([made.length, theirs]).toEqual([3, []]);
    for (const { position, event_id, occurred_at } of made) {
      for (const name of [{ position }, { event_id, occurred_at }, { event_id }]) {
        expect((await api.call('/cdc/get', name, owner)).status).toBe(200);
        expect((await api.call('/cdc/get', name, stranger)).status).toBe(404);
      }
    }
  });

  const loosened = anEventType({
    service: 'scm',
    action: 'purchase_order.released',
    schema_version: '1.1',
    validation: 'off',
  });
  async function ownKeyId(): Promise<string> {
    return (await api.call('/access/key/list', {}, owner)).body.data.items[0].key_id as string;
  }
});
