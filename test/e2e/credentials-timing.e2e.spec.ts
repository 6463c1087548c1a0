import { newApiKey } from '../../src/access/api-key.js';
import { TestApi } from '../support/api.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** One look-up in the database takes at least this long here, which makes a missing one visible whatever the machine does. */
const DATABASE_DELAY_MS = 6;
const ROUNDS = 15;

describe('the time that a bad credential takes', () => {
  let api: TestApi;
  let proxy: TcpProxy;
  let direct: TestApi;
  let orgcode: string;
  let key: string;

  beforeAll(async () => {
    direct = await TestApi.start({ IPM_ROLE: 'api' }); // what workers look for would stand in the same line
    ({ orgcode, key } = await direct.anOwner());
    proxy = await TcpProxy.to(direct.database.url);
    api = await TestApi.startOn({ ...direct.database, url: proxy.urlOf(direct.database.url) }, { IPM_ROLE: 'api' });
    proxy.delayMs = DATABASE_DELAY_MS;
  });
  afterAll(async () => {
    proxy.delayMs = 0;
    await api.app.close();
    await direct.close();
    await proxy.close();
  });

  async function aKeyThat(change: string): Promise<string> {
    const made = await direct.aKey(orgcode, 'integration_view');
    await direct.database.asOwner(
      `update api_key set ${change} where key_id = (select key_id from api_key where orgcode = $1 order by created_at desc limit 1)`,
      [orgcode],
    );
    return made;
  }

  async function timeOf(apiKey: string): Promise<number> {
    const before = performance.now();
    const { status } = await api.call('/pagination/get', {}, { orgcode, key: apiKey });
    expect(status).toBe(401);
    return performance.now() - before;
  }

  it('does not tell unknown, revoked, expired and mistyped keys apart', async () => {
    const keys = {
      unknown: newApiKey().apiKey,
      revoked: await aKeyThat(`status = 'revoked', revoked_at = now()`),
      expired: await aKeyThat(`expires_at = now() - interval '1 hour'`),
      mistyped: `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`,
      'of another making': 'something else entirely',
    };
    const times = new Map(Object.keys(keys).map((name) => [name, [] as number[]]));
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [name, apiKey] of Object.entries(keys)) times.get(name)?.push(await timeOf(apiKey));
    const medians = [...times].map(([name, all]) => ({
      name,
      median: all.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!,
    }));
    const slowest = Math.max(...medians.map(({ median }) => median));
    // Each asks the database once: none is quicker than the delay of its line, and none takes twice what another takes.
    for (const { name, median } of medians) {
      expect({ name, asked: median >= DATABASE_DELAY_MS }).toEqual({ name, asked: true });
      expect({ name, ratio: slowest / median < 1.5 || `${slowest} to ${median}` }).toEqual({ name, ratio: true });
    }
  });
});
