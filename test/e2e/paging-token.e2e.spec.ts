import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Paging } from '../../src/platform/http/paging.js';
import { DatabaseLife } from '../../src/platform/database/database-life.js';
import { TestApi } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

const position = fc.array(fc.oneof(fc.string(), fc.maxSafeInteger()), { minLength: 1, maxLength: 3 });
const filters = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string(), { maxKeys: 3 });
const scope = fc.record({
  orgcode: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  list: fc.stringMatching(/^[a-z/]{1,20}$/),
  filters,
});
const INVALID = expect.objectContaining({
  failure: expect.objectContaining({ tag: 'next_token_invalid', status: 400 }),
});

describe('next_token', () => {
  let api: TestApi;
  let paging: Paging;
  beforeAll(async () => {
    api = await TestApi.start();
    paging = api.app.get(Paging);
  });
  afterAll(() => api.close());

  const textOf = (token: object): string => (token as { token: string }).token;
  const refusal = (run: () => unknown): unknown => {
    try {
      return { accepted: run() };
    } catch (error) {
      return error;
    }
  };

  it('gives back the position that it was made of', () => {
    fc.assert(
      fc.property(position, scope, (at, of) => expect(paging.positionAfter(paging.tokenAt(at, of), of)).toEqual(at)),
    );
  });

  it('is refused when any of its bytes is another', () => {
    const change = fc.record({ at: fc.nat(), character: fc.constantFrom(...'ABCyz0189-_.=+/ é\n') });
    fc.assert(
      fc.property(position, scope, change, (at, of, { at: where, character }) => {
        const text = textOf(paging.tokenAt(at, of));
        const index = where % text.length;
        fc.pre(text[index] !== character);
        const changed = { token: text.slice(0, index) + character + text.slice(index + 1) };
        expect(refusal(() => paging.positionAfter(changed, of))).toEqual(INVALID);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has one spelling: every other last character, a longer and a shorter text are refused', () => {
    const of = { orgcode: 'acme', list: 'audit/list', filters: {} };
    const text = textOf(paging.tokenAt(['7'], of));
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      const spelled = text.slice(0, -1) + last;
      if (spelled !== text) expect(refusal(() => paging.positionAfter({ token: spelled }, of))).toEqual(INVALID);
    }
    for (const token of [
      `${text}=`,
      `${text}.`,
      `${text}.x`,
      ` ${text}`,
      `${text}\n`,
      text.slice(1),
      text.slice(0, -1),
    ]) {
      expect(refusal(() => paging.positionAfter({ token }, of))).toEqual(INVALID);
    }
  });

  it('is refused for another organisation, list or filters', () => {
    fc.assert(
      fc.property(
        position,
        scope,
        scope,
        fc.constantFrom('orgcode' as const, 'list' as const, 'filters' as const),
        (at, of, other, part) => {
          fc.pre(JSON.stringify(of[part]) !== JSON.stringify(other[part]));
          const token = paging.tokenAt(at, of);
          expect(refusal(() => paging.positionAfter(token, { ...of, [part]: other[part] }))).toEqual(INVALID);
        },
      ),
    );
  });

  it('is refused whatever else it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.object(), fc.record({ token: fc.anything() })), scope, (token, of) => {
        expect(refusal(() => paging.positionAfter(token, of))).toEqual(INVALID);
      }),
    );
  });

  describe('over HTTP', () => {
    let orgcode: string;
    let key: string;
    let next: { token: string };
    const list = (path: string, request: object, of: TestApi = api): ReturnType<TestApi['call']> =>
      of.call(path, request, { orgcode, key });

    beforeAll(async () => {
      ({ orgcode, key } = await api.anOwner());
      await api.aKey(orgcode, 'auditor');
      next = (await list('/audit/list', { limit: 1, outcome: 'done' })).body.data.next_token;
    });

    it('goes on with the same filters and any limit', async () => {
      expect((await list('/audit/list', { limit: 256, outcome: 'done', next_token: next })).status).toBe(200);
    });

    it.each<[string, string, () => object]>([
      ['other filters', '/audit/list', () => ({ outcome: 'refused', next_token: next })],
      ['no filters', '/audit/list', () => ({ next_token: next })],
      ['another list', '/access/key/list', () => ({ next_token: next })],
      ['a changed text', '/audit/list', () => ({ outcome: 'done', next_token: { token: `${next.token}A` } })],
      ['an empty object', '/audit/list', () => ({ outcome: 'done', next_token: {} })],
      ['a token of another form', '/audit/list', () => ({ outcome: 'done', next_token: { token: { $gt: '' } } })],
    ])('is refused with 400 for %s', async (_what, path, request) => {
      const { status, body } = await list(path, request());
      expect([status, body.error?.error_code]).toEqual([400, 'next_token_invalid']);
    });

    it('is valid in another process of the same database and secret, and in none with another secret', async () => {
      const other = await TestApi.startOn(api.database);
      expect((await list('/audit/list', { outcome: 'done', next_token: next }, other)).status).toBe(200);
      await other.app.close();
      const stranger = await TestApi.startOn(api.database, { IPM_SECRET: randomBytes(24).toString('hex') });
      expect(
        refusal(() =>
          stranger.app.get(Paging).positionAfter(next, { orgcode, list: 'audit/list', filters: { outcome: 'done' } }),
        ),
      ).toEqual(INVALID);
      await stranger.app.close();
    });
  });

  describe('of a database that was copied', () => {
    let original: TestApi;
    let copy: TestDatabase;
    let orgcode: string;
    let key: string;
    let next: object;
    beforeAll(async () => {
      original = await TestApi.start();
      ({ orgcode, key } = await original.anOwner());
      next = (await original.call('/audit/list', { limit: 1 }, { orgcode, key })).body.data.next_token;
      await original.app.close(); // a template must have no other user
      copy = await testDatabase(new URL(original.database.url).pathname.slice(1));
    });
    afterAll(async () => {
      await copy.drop();
      await original.database.drop();
    });

    const list = async (
      database: TestDatabase,
    ): Promise<{ status: number; tag: string | undefined; epoch: string }> => {
      const api = await TestApi.startOn(database);
      const { status, body } = await api.call('/audit/list', { limit: 1, next_token: next }, { orgcode, key });
      const { epoch } = api.app.get(DatabaseLife);
      await api.app.close();
      return { status, tag: body.error?.error_code, epoch };
    };

    it('is refused by the copy, at every start, and still taken by the original', async () => {
      const ofOriginal = await list(original.database);
      expect(ofOriginal.status).toBe(200);
      const ofCopy = await list(copy);
      expect(ofCopy).toMatchObject({ status: 400, tag: 'next_token_invalid' });
      expect(ofCopy.epoch).not.toBe(ofOriginal.epoch);
      expect(await list(copy)).toEqual(ofCopy); // the copy's life began once
      expect(await list(original.database)).toEqual(ofOriginal);
    });

    it('is refused after a new epoch was begun by hand, for a restore in place', async () => {
      const api = await TestApi.startOn(original.database);
      await api.app.get(DatabaseLife).begin();
      const { status } = await api.call('/audit/list', { limit: 1, next_token: next }, { orgcode, key });
      await api.app.close();
      expect(status).toBe(400);
      expect((await list(original.database)).status).toBe(400);
    });
  });
});
