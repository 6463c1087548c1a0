import { sabotageLog } from '../faults/support/log-sabotage.js';
import { racingWriters } from '../faults/support/racing-writers.js';
import { expectNothingWrong, type Stage } from '../faults/support/trial.js';
import { TestApi } from '../support/api.js';

jest.setTimeout(60_000);

const SHORT = { turns: 5, maxSleepMs: 15 };

/** F15 in short; the long form is in test/faults. */
describe('writers that race', () => {
  let first: TestApi;
  let second: TestApi;
  beforeAll(async () => {
    first = await TestApi.start();
    second = await TestApi.startOn(first.database);
  });
  afterAll(async () => {
    await second.app.close();
    await first.close();
  });

  const stage = async (): Promise<Stage> => ({
    database: first.database,
    doors: [first, second],
    organisations: [await first.anOwner(), await first.anOwner()],
  });

  it('are seen by readers with pages of 1, 7 and 256 in the one order in which the log keeps their events', async () => {
    expectNothingWrong(await racingWriters(await stage(), SHORT));
  });

  describe('sabotaged: numbers are drawn without the lock', () => {
    let mend: () => Promise<unknown>;
    beforeAll(async () => (mend = await sabotageLog(first.database, 'withoutLock')));
    afterAll(() => mend());

    it('turns red', async () => {
      const { complaints } = await racingWriters(await stage(), SHORT);
      expect(complaints).toContainEqual(expect.stringMatching(/^skipped: reader by /));
    });
  });
});
