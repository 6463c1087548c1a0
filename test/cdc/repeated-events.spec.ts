import { importBy } from '../faults/support/import-by.js';
import { sabotageLog } from '../faults/support/log-sabotage.js';
import { repeatedEvents } from '../faults/support/repeated-events.js';
import { expectNothingWrong, type Stage } from '../faults/support/trial.js';
import { TestApi } from '../support/api.js';
import { s3Environment } from '../support/bulk-scene.js';
import { startS3Server, type S3Server } from '../support/s3-server/start.js';

jest.setTimeout(60_000);

const EVENTS = 120;

/** F14 in short; the long form is in test/faults. */
describe('events that are published and imported again and again', () => {
  let server: S3Server;
  let first: TestApi;
  let second: TestApi;
  beforeAll(async () => {
    server = await startS3Server();
    first = await TestApi.start(s3Environment(server));
    second = await TestApi.startOn(first.database, s3Environment(server));
  });
  afterAll(async () => {
    await second.app.close();
    await first.close();
    await server.stop();
  });

  const stage = async (): Promise<Stage> => ({
    database: first.database,
    doors: [first, second],
    organisations: [await first.anOwner(), await first.anOwner()],
  });

  it('stand in the log once, and every answer names their place', async () => {
    expectNothingWrong(await repeatedEvents(await stage(), EVENTS, importBy(first)));
  });

  describe('sabotaged: nobody looks whether an event is in the log already', () => {
    let mend: () => Promise<unknown>;
    beforeAll(async () => (mend = await sabotageLog(first.database, 'withoutKeys')));
    afterAll(() => mend());

    it('turns red', async () => {
      const { complaints } = await repeatedEvents(await stage(), EVENTS, importBy(first));
      expect(complaints).toContainEqual(expect.stringMatching(/^twice: .* happened once and stands at \d+, \d+/));
      expect(complaints).toContainEqual(
        expect.stringMatching(/^moved: .* (was answered as new [2-5] times|stands or was answered at \d+, \d+)/),
      );
    });
  });
});
