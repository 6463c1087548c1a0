import { setTimeout as sleep } from 'node:timers/promises';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';
import { anEventType } from '../wall/two-organisations.js';

interface ListUnderTest {
  /** What identifies an item of a page. */
  id: (item: never) => string;
  /** One more row of the list. */
  add: (n: number) => Promise<unknown>;
  items: string;
}

const ROWS = 20;

describe('a list page by page', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  beforeAll(async () => {
    api = await TestApi.start();
    ({ orgcode, key } = await api.anOwner());
    for (let n = 1; n <= ROWS; n += 1) await Promise.all(Object.values(lists).map(({ add }) => add(n)));
  });
  afterAll(() => api.close());

  const call = (path: string, body: object): Promise<ApiAnswer> => api.call(path, body, { orgcode, key });
  const register = (service: string, action: string): Promise<ApiAnswer> =>
    call('/event/catalog/register', { ...writeGrounds(orgcode), event_type: anEventType(service, action, 'a thing') });

  const lists: Record<string, ListUnderTest> = {
    'access/key/list': {
      items: 'items',
      id: ({ key_id }: { key_id: string }) => key_id,
      add: () => api.aKey(orgcode, 'auditor'),
    },
    'audit/list': {
      items: 'items',
      id: ({ seq }: { seq: string }) => seq,
      add: () => call('/access/key/revoke', { ...writeGrounds(orgcode), key_id: 'nobody' }),
    },
    'event/catalog/list': {
      items: 'items',
      id: ({ service, action }: { service: string; action: string }) => `${service}.${action}`,
      add: (n) => register('spec', `thing_${n}.made`),
    },
    'export/contract/list': {
      items: 'contracts',
      id: ({ service }: { service: string }) => service,
      add: (n) => register(`spec_${n}`, 'thing.made'),
    },
  };

  const page = async (path: string, request: object): Promise<{ ids: string[]; next: object | undefined }> => {
    const { status, body } = await call(`/${path}`, request);
    expect(status).toBe(200);
    const { items, id } = lists[path]!;
    return { ids: (body.data[items] as never[]).map(id), next: body.data.next_token };
  };

  const walk = async (
    path: string,
    limit: number,
    between: () => Promise<unknown> = async () => undefined,
  ): Promise<string[]> => {
    const seen: string[] = [];
    let next: object | undefined;
    do {
      const { ids, next: after } = await page(path, { limit, ...(next ? { next_token: next } : {}) });
      expect(ids.length).toBeLessThanOrEqual(limit);
      expect(after === undefined || ids.length === limit).toBe(true);
      seen.push(...ids);
      next = after;
      await between();
    } while (next);
    return seen;
  };

  describe.each(Object.keys(lists))('%s', (path) => {
    it.each([1, 7, 256])('gives each row exactly once, in the same order, in pages of %i', async (limit) => {
      const { ids, next } = await page(path, { limit: 256 });
      expect([ids.length >= ROWS, next]).toEqual([true, undefined]);
      expect(await walk(path, limit)).toEqual(ids);
    });

    it.each([1, 7])(
      'gives each row that was there exactly once, in pages of %i, while others are added',
      async (limit) => {
        const { ids } = await page(path, { limit: 256 });
        let added = 100 * limit;
        const seen = await walk(path, limit, () =>
          added < 100 * limit + 12 ? lists[path]!.add((added += 1)) : sleep(0),
        );
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((id) => ids.includes(id))).toEqual(ids);
      },
    );

    it('has no next_token when the last page is full', async () => {
      const { ids } = await page(path, { limit: 256 });
      expect((await page(path, { limit: ids.length })).next).toBeUndefined();
      expect((await page(path, { limit: ids.length - 1 })).next).toEqual({ token: expect.any(String) });
    });

    it('gives the same page to the same next_token again', async () => {
      const { next } = await page(path, { limit: 3 });
      const [first, second] = [
        await page(path, { limit: 3, next_token: next }),
        await page(path, { limit: 3, next_token: next }),
      ];
      expect(second).toEqual(first);
      expect((await page(path, { limit: 5, next_token: next })).ids.slice(0, 3)).toEqual(first.ids);
    });
  });
});
