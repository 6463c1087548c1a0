import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database.js';
import { ProductProcess } from '../support/product-process.js';

const BOOTSTRAP = {
  IPM_BOOTSTRAP_ORGCODE: 'acme',
  IPM_BOOTSTRAP_API_KEY: 'a-bootstrap-key-of-more-than-32-characters',
};

describe('the built product', () => {
  let database: TestDatabase;
  let started: ProductProcess | undefined;
  beforeAll(async () => (database = await testDatabase()));
  afterEach(async () => {
    await started?.stop('SIGKILL');
    started = undefined;
  });
  afterAll(() => database.drop());

  const list = (url: string): Promise<Response> =>
    fetch(`${url}/ipm/event/catalog/list`, {
      method: 'POST',
      headers: {
        'x-api-key': BOOTSTRAP.IPM_BOOTSTRAP_API_KEY,
        'x-orgcode': 'acme',
        'content-type': 'application/json',
      },
      body: '{}',
    });

  it.each(['api', 'all'])('serves the API and its documents in role %s', async (role) => {
    started = await ProductProcess.start(database.url, { ...BOOTSTRAP, IPM_ROLE: role, IPM_DOCS: 'on' });
    const answer = await list(started.url);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect((await fetch(`${started.url}/docs`)).status).toBe(200);
    expect(await (await fetch(`${started.url}/openapi.json`)).json()).toHaveProperty('paths./event/catalog/list.post');
    expect(await started.stop()).toBe(0);
  });

  it('answers probes and nothing else in role worker', async () => {
    started = await ProductProcess.start(database.url, { IPM_ROLE: 'worker' });
    expect((await fetch(`${started.url}/health/live`)).status).toBe(200);
    expect((await list(started.url)).status).toBe(404);
    expect((await fetch(`${started.url}/files`)).status).toBe(404);
    expect(await started.stop()).toBe(0);
  });

  it('hides its documents unless they are turned on', async () => {
    started = await ProductProcess.start(database.url, { IPM_ROLE: 'api' });
    expect((await fetch(`${started.url}/docs`)).status).toBe(404);
    expect((await fetch(`${started.url}/openapi.json`)).status).toBe(404);
  });

  it('does not start with a bad environment and says everything that is wrong with it', async () => {
    const bad = ProductProcess.start(database.url, { IPM_ROLE: 'boss', IPM_SECRET: 'short', REDIS_URL: undefined });
    await expect(bad).rejects.toThrow(/3 problem\(s\)[^]*IPM_ROLE[^]*REDIS_URL[^]*IPM_SECRET/);
  });

  it('does not start on a database without tables and says what to do', async () => {
    const empty = await emptyDatabase();
    await expect(ProductProcess.start(empty.url)).rejects.toThrow('the database is not migrated: run ipm migrate');
    await empty.drop();
  });

  it('serves while Redis is away', async () => {
    started = await ProductProcess.start(database.url, { ...BOOTSTRAP, REDIS_URL: 'redis://127.0.0.1:1' });
    expect((await list(started.url)).status).toBe(200);
  });
});
