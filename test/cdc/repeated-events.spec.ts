import { sabotageLog } from '../faults/support/log-sabotage.js';
import { repeatedEvents } from '../faults/support/repeated-events.js';
import { expectNothingWrong, type Stage } from '../faults/support/trial.js';
import { TestApi } from '../support/api.js';

jest.setTimeout(60_000);

const EVENTS = 120;

/** F14 in short; the long form is in test/faults. */
describe('events that are published again and again', () => {
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

  it('stand in the log once, and every answer names their place', async () => {
    expectNothingWrong(await repeatedEvents(await stage(), EVENTS));
  });

  describe('sabotaged: nobody looks whether an event is in the log already', () => {
    let mend: () => Promise<unknown>;
    beforeAll(async () => (mend = await sabotageLog(first.database, 'withoutKeys')));
    afterAll(() => mend());

    it('turns red', async () => {
      const { complaints } = await repeatedEvents(await stage(), EVENTS);
      expect(complaints).toContainEqual(expect.stringMatching(/^twice: .* happened once and stands at \d+, \d+/));
      expect(complaints).toContainEqual(expect.stringMatching(/^moved: .* was answered as new [2-5] times/));
    });
  });
});
