import { TestApi } from '../support/api.js';
import { s3Environment } from '../support/bulk-scene.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';
import { Fleet } from './support/fleet.js';
import { importBy } from './support/import-by.js';
import { sabotageLog } from './support/log-sabotage.js';
import { organisationsOn } from './support/organisations.js';
import { repeatedEvents } from './support/repeated-events.js';
import { expectNothingWrong, tell, type Stage } from './support/trial.js';

jest.setTimeout(10 * 60_000);

describe('F14: each event is published one to five times, shuffled, through two processes and by an import at once', () => {
  let server: S3Server;
  let api: TestApi;
  let fleet: Fleet;
  beforeEach(async () => {
    server = await startS3Server();
    api = await TestApi.start({ ...s3Environment(server), IPM_ROLE: 'api' });
    const { url } = api.database;
    fleet = await Fleet.start([url, url], s3Environment(server));
  });
  afterEach(async () => {
    await fleet.stop();
    await api.close();
    await server.stop();
  });

  const stage = async (): Promise<Stage> => ({
    database: api.database,
    doors: fleet.doors,
    organisations: await organisationsOn(api.database, 2),
  });

  it('stands in the log once, and every answer names its place', async () => {
    const outcome = await repeatedEvents(await stage(), 5_000, importBy(api));
    tell('F14', outcome);
    expectNothingWrong(outcome);
  });

  it('sabotaged, nobody looks whether an event is in the log already: turns red', async () => {
    await sabotageLog(api.database, 'withoutKeys');
    const outcome = await repeatedEvents(await stage(), 300, importBy(api));
    tell('F14 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^twice: /));
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^moved: /));
  });
});
