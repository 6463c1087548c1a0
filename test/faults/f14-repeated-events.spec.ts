import { testDatabase, type TestDatabase } from '../support/database.js';
import { Fleet } from './support/fleet.js';
import { sabotageLog } from './support/log-sabotage.js';
import { organisationsOn } from './support/organisations.js';
import { repeatedEvents } from './support/repeated-events.js';
import { expectNothingWrong, tell, type Stage } from './support/trial.js';

jest.setTimeout(10 * 60_000);

describe('F14: each event is published one to five times, shuffled, through two processes', () => {
  let database: TestDatabase;
  let fleet: Fleet;
  beforeEach(async () => {
    database = await testDatabase();
    fleet = await Fleet.start([database.url, database.url]);
  });
  afterEach(async () => {
    await fleet.stop();
    await database.drop();
  });

  const stage = async (): Promise<Stage> => ({
    database,
    doors: fleet.doors,
    organisations: await organisationsOn(database, 2),
  });

  it('stands in the log once, and every answer names its place', async () => {
    const outcome = await repeatedEvents(await stage(), 5_000);
    tell('F14', outcome);
    expectNothingWrong(outcome);
  });

  it('sabotaged, nobody looks whether an event is in the log already: turns red', async () => {
    await sabotageLog(database, 'withoutKeys');
    const outcome = await repeatedEvents(await stage(), 300);
    tell('F14 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^twice: /));
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^moved: /));
  });
});
