import { oldCursors, type Restore } from '../faults/support/restored-database.js';
import { expectNothingWrong, type Stage } from '../faults/support/trial.js';
import { ipmOn } from '../cli/ipm.js';
import { TestApi } from '../support/api.js';
import { databaseAt, testDatabase, type TestDatabase } from '../support/database.js';
import { required } from '../support/environment.js';

jest.setTimeout(60_000);

/** F20 in short; the long form is in test/faults. */
describe('cursors of before a restore', () => {
  const server = databaseAt(`${required('TEST_DATABASE_ADMIN_URL')}/postgres`);
  let database: TestDatabase;
  let api: TestApi;
  let copy: TestDatabase | undefined;
  beforeEach(async () => {
    database = await testDatabase();
    api = await TestApi.startOn(database);
  });
  afterEach(async () => {
    await api.close();
    await copy?.drop();
    await database.drop();
  });

  const nameOf = ({ url }: TestDatabase): string => new URL(url).pathname.slice(1);
  const stageOn = (where: TestDatabase, organisations: Stage['organisations']): Stage => ({
    database: where,
    doors: [{ call: (...given) => api.call(...given) }],
    organisations,
  });
  const backUp = async (): Promise<void> => {
    await api.app.close(); // nobody may be connected to what is copied
    copy = await testDatabase(nameOf(database));
    api = await TestApi.startOn(database);
  };

  /** The copy is another database of the server. */
  const elsewhere = async (arrange: (copy: TestDatabase) => Promise<unknown>): Promise<Restore> => {
    const original = stageOn(database, [await api.anOwner()]);
    const restore = async (): Promise<Stage> => {
      await arrange(copy!);
      await api.app.close();
      api = await TestApi.startOn(copy!);
      return stageOn(copy!, original.organisations);
    };
    return { original, backUp, restore };
  };

  /** The database is what it was, by name and by number, and is back in time. */
  const inPlace = async (arrange: () => Promise<unknown>): Promise<Restore> => {
    const original = stageOn(database, [await api.anOwner()]);
    const restore = async (): Promise<Stage> => {
      await api.app.close();
      const [{ oid } = { oid: 0 }] = await database.asOwner<{ oid: number }>(
        'select oid from pg_database where datname = current_database()',
      );
      await database.drop();
      await server.asOwner(`CREATE DATABASE ${nameOf(database)} TEMPLATE ${nameOf(copy!)} OID = ${oid}`);
      await arrange();
      api = await TestApi.startOn(database);
      return stageOn(database, original.organisations);
    };
    return { original, backUp, restore };
  };

  it('are refused by a copy, which finds itself in another place', async () => {
    const outcome = await oldCursors(await elsewhere(() => Promise.resolve()));
    expectNothingWrong(outcome);
    expect(outcome.figures.refused).toBe(2);
  });

  it('are refused after a restore in place and ipm epoch new', async () => {
    const outcome = await oldCursors(await inPlace(() => ipmOn(database.url)('epoch', 'new', '--yes')));
    expectNothingWrong(outcome);
    expect(outcome.figures.refused).toBe(2);
  });

  describe('sabotaged: the copy takes itself for the original', () => {
    it('turns red', async () => {
      const identity = `update database_life set database_oid = d.oid from pg_database d where datname = current_database()`;
      const outcome = await oldCursors(await elsewhere(({ asOwner }) => asOwner(identity)));
      expect(outcome.complaints).toContainEqual(expect.stringMatching(/^skipped: reader by 7 .* never saw \d+/));
      expect(outcome.figures.refused).toBe(0);
    });
  });

  describe('sabotaged: nobody says ipm epoch new', () => {
    it('turns red', async () => {
      const outcome = await oldCursors(await inPlace(() => Promise.resolve()));
      expect(outcome.complaints).toContainEqual(expect.stringMatching(/^skipped: reader by 7 .* never saw \d+/));
      expect(outcome.figures.refused).toBe(0);
    });
  });
});
