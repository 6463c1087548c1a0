import { Fleet } from '../faults/support/fleet.js';
import { killBetweenCommitAndAnswer, killedApi } from '../faults/support/killed-api.js';
import { sabotageLog } from '../faults/support/log-sabotage.js';
import { expectNothingWrong, type Stage } from '../faults/support/trial.js';
import { TestApi } from '../support/api.js';

jest.setTimeout(60_000);

/** F2 in short; the long form is in test/faults. */
describe('a process that is killed with -9 while clients publish through it', () => {
  let api: TestApi;
  let fleet: Fleet;
  beforeAll(async () => (api = await TestApi.start()));
  beforeEach(async () => (fleet = await Fleet.start([api.database.url, api.database.url])));
  afterEach(() => fleet.stop());
  afterAll(() => api.close());

  const stage = async (): Promise<Stage> => ({
    database: api.database,
    doors: fleet.doors,
    organisations: [await api.anOwner()],
  });

  it('loses nothing that it acknowledged, and who tries again learns where the event stands', async () => {
    const outcome = await killedApi(await stage(), fleet, killBetweenCommitAndAnswer);
    expectNothingWrong(outcome);
    expect(outcome.figures).toMatchObject({ kills: 1 });
    expect(outcome.figures.answersLost).toBeGreaterThan(0);
  });

  describe('sabotaged: nobody looks whether an event is in the log already', () => {
    let mend: () => Promise<unknown>;
    beforeAll(async () => (mend = await sabotageLog(api.database, 'withoutKeys')));
    afterAll(() => mend());

    it('turns red', async () => {
      const { complaints } = await killedApi(await stage(), fleet, killBetweenCommitAndAnswer);
      expect(complaints).toContainEqual(expect.stringMatching(/^twice: /));
    });
  });
});
