import { killedPostgres } from '../faults/support/killed-postgres.js';
import { OwnPostgres, ServerFolder } from '../faults/support/own-postgres.js';
import { expectNothingWrong, type Stage } from '../faults/support/trial.js';
import { TestApi } from '../support/api.js';

jest.setTimeout(90_000);

const SHORT = { rounds: 1, workMs: 500, awayMs: 500 };

/** F3 in short; the long form is in test/faults. */
describe('a Postgres that is killed with -9 while clients publish', () => {
  let place: ServerFolder;
  let postgres: OwnPostgres;
  let api: TestApi;
  beforeAll(async () => {
    place = new ServerFolder();
    postgres = await OwnPostgres.start(place);
    api = await TestApi.startOn(postgres.database);
  });
  afterAll(async () => {
    await api.close();
    await place.clear();
  });

  const stage = async (): Promise<Stage> => {
    const organisations = [await api.anOwner()];
    await postgres.flush();
    return { database: postgres.database, doors: [api], organisations };
  };

  it('has everything that was acknowledged, and is found again by the process that waited for it', async () => {
    const outcome = await killedPostgres(await stage(), postgres, SHORT);
    expectNothingWrong(outcome);
    expect(outcome.figures.refusals).toBeGreaterThan(0);
  });

  describe('sabotaged: Postgres answers a commit before it is on the disk', () => {
    beforeAll(async () => {
      await postgres.answerEarly();
      await api.close();
      api = await TestApi.startOn(postgres.database);
    });

    it('turns red', async () => {
      const { complaints } = await killedPostgres(await stage(), postgres, SHORT);
      expect(complaints).toContainEqual(
        expect.stringMatching(/^lost: .* was acknowledged at \d+ and is not in the log/),
      );
    });
  });
});
