import { testDatabase, type TestDatabase } from '../support/database.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { Fleet } from './support/fleet.js';
import { lostAnswers } from './support/lost-answers.js';
import { organisationsOn } from './support/organisations.js';
import { expectNothingWrong, tell, type Stage } from './support/trial.js';

jest.setTimeout(10 * 60_000);

const LOSSES = 1_000;

describe('F8: lines to Postgres break when an append was sent, or is committed', () => {
  let database: TestDatabase;
  let lines: TcpProxy[];
  let fleet: Fleet;
  beforeEach(async () => {
    database = await testDatabase();
    lines = [await TcpProxy.to(database.url), await TcpProxy.to(database.url)];
    fleet = await Fleet.start(lines.map((line) => line.urlOf(database.url)));
  });
  afterEach(async () => {
    await fleet.stop();
    for (const line of lines) await line.close();
    await database.drop();
  });

  const stage = async (): Promise<Stage> => ({
    database,
    doors: fleet.doors,
    organisations: await organisationsOn(database, 2),
  });

  it('is answered 503, and whoever tries again finds one event at one position', async () => {
    const outcome = await lostAnswers(await stage(), lines, LOSSES);
    tell('F8', outcome);
    expectNothingWrong(outcome);
    expect(outcome.figures.losses).toBeGreaterThanOrEqual(LOSSES);
    expect(outcome.figures.answersLost).toBeGreaterThan(0);
    expect(fleet.isWhole).toBe(true);
  });

  it('sabotaged, clients try again under another event_id: turns red', async () => {
    const outcome = await lostAnswers(await stage(), lines, 50, { forgetsEventIds: true });
    tell('F8 sabotaged', outcome);
    expect(outcome.complaints).toContainEqual(expect.stringMatching(/^twice: /));
  });
});
