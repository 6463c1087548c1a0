import { testDatabase, type TestDatabase } from '../support/database.js';
import { Fleet } from './support/fleet.js';
import { killedApi, randomKills } from './support/killed-api.js';
import { sabotageLog } from './support/log-sabotage.js';
import { organisationsOn } from './support/organisations.js';
import { expectNothingWrong, tell, type Stage } from './support/trial.js';

jest.setTimeout(10 * 60_000);

describe('F2: processes are killed with -9 again and again while clients publish through them', () => {
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

  it('loses and doubles nothing that was acknowledged, and leaves no half of an event', async () => {
    const outcome = await killedApi(await stage(), fleet, randomKills(20));
    tell('F2', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.answersLost).toBeGreaterThan(0);
  });

  it('sabotaged, nobody looks whether an event is in the log already: turns red', async () => {
    await sabotageLog(database, 'withoutKeys');
    const outcome = await killedApi(await stage(), fleet, randomKills(8));
    tell('F2 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^twice: /));
  });
});
