import { Fleet } from './support/fleet.js';
import { killedPostgres } from './support/killed-postgres.js';
import { organisationsOn } from './support/organisations.js';
import { OwnPostgres, ServerFolder } from './support/own-postgres.js';
import { expectNothingWrong, tell, type Stage } from './support/trial.js';

jest.setTimeout(10 * 60_000);

const LONG = { rounds: 5, workMs: 4_000, awayMs: 4_000 };

describe('F3: Postgres is killed with -9 under load and comes back after seconds', () => {
  let place: ServerFolder;
  let postgres: OwnPostgres;
  let fleet: Fleet;
  beforeEach(async () => {
    place = new ServerFolder();
    postgres = await OwnPostgres.start(place);
  });
  afterEach(async () => {
    await fleet.stop();
    await place.clear();
  });

  const stage = async (): Promise<Stage> => {
    const { database } = postgres;
    fleet = await Fleet.start([database.url, database.url]);
    const organisations = await organisationsOn(database, 2);
    await postgres.flush();
    return { database, doors: fleet.doors, organisations };
  };

  it('has everything that was acknowledged, and the processes that waited for it serve on', async () => {
    const outcome = await killedPostgres(await stage(), postgres, LONG);
    tell('F3', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.refusals).toBeGreaterThan(100);
    expect(fleet.isWhole).toBe(true);
  });

  it('sabotaged, Postgres answers a commit before it is on the disk: turns red', async () => {
    await postgres.answerEarly();
    const outcome = await killedPostgres(await stage(), postgres, { ...LONG, rounds: 2, awayMs: 1_000 });
    tell('F3 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^lost: .* was acknowledged at \d+/));
  });
});
