import { testDatabase, type TestDatabase } from '../support/database.js';
import { Fleet } from './support/fleet.js';
import { sabotageLog } from './support/log-sabotage.js';
import { organisationsOn } from './support/organisations.js';
import { racingWriters } from './support/racing-writers.js';
import { expectNothingWrong, tell, type Stage } from './support/trial.js';

jest.setTimeout(10 * 60_000);

describe('F15: sixteen writers in each of three organisations, some slow to commit, and readers of each kind', () => {
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
    organisations: await organisationsOn(database, 3),
  });

  it('shows every reader the log as it stands', async () => {
    const outcome = await racingWriters(await stage(), { turns: 80, maxSleepMs: 25 });
    tell('F15', outcome);
    expectNothingWrong(outcome);
  });

  it('sabotaged, numbers are drawn without the lock: turns red', async () => {
    await sabotageLog(database, 'withoutLock');
    const outcome = await racingWriters(await stage(), { turns: 10, maxSleepMs: 25 });
    tell('F15 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^skipped: reader by /));
  });
});
