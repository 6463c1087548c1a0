import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate, pendingMigrationNames } from '../../src/platform/database/migrate.js';
import { emptyDatabase, type TestDatabase } from '../support/database.js';
import { prisma } from './prisma-cli.js';

const MIGRATIONS = 'prisma/migrations';
const NAMES = readdirSync(MIGRATIONS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

jest.setTimeout(60_000);

describe('migrate', () => {
  let database: TestDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await emptyDatabase();
    folder = mkdtempSync(path.join(tmpdir(), 'ipm-migrations-'));
    cpSync(MIGRATIONS, folder, { recursive: true });
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await database.drop();
  });

  const run = (log?: (line: string) => void): Promise<string[]> =>
    migrate({ connectionString: database.url, directory: folder, ...(log ? { log } : {}) });
  const rows = (of = database): Promise<Record<string, unknown>[]> =>
    of.asOwner('select * from _prisma_migrations order by started_at, migration_name');
  const addMigration = (name: string, sql: string): void => {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'migration.sql'), sql);
  };

  it('applies everything in order, says so, and nothing the second time', async () => {
    const lines: string[] = [];
    addMigration('20990101000000_more', 'create table more (n int)');
    expect(await pendingMigrationNames(database.url, folder)).toEqual([...NAMES, '20990101000000_more']);
    expect(await run((line) => lines.push(line))).toEqual([...NAMES, '20990101000000_more']);
    expect(lines).toEqual([...NAMES, '20990101000000_more'].map((name) => `applied ${name}`));
    expect([await pendingMigrationNames(database.url, folder), await run()]).toEqual([[], []]);
  });

  it('changes nothing when it is only asked what is pending', async () => {
    await pendingMigrationNames(database.url, folder);
    expect(await database.asOwner(`select 1 from pg_class where relnamespace = 'public'::regnamespace`)).toEqual([]);
  });

  it('applies each migration once when three run at the same time', async () => {
    const applied = await Promise.all([run(), run(), run()]);
    expect(applied.flat().sort()).toEqual(NAMES);
    expect(await rows()).toHaveLength(NAMES.length);
  });

  it('refuses to go on after a failed migration, keeps nothing of it, and goes on once Prisma says it is rolled back', async () => {
    const bad = '20990101000000_bad';
    addMigration(bad, 'create table half (n int); select 1/0;');
    await expect(run()).rejects.toThrow('division by zero');
    expect(await database.asOwner(`select to_regclass('half')::text as half`)).toEqual([{ half: null }]);
    expect((await rows()).at(-1)).toMatchObject({
      migration_name: bad,
      finished_at: null,
      rolled_back_at: null,
      applied_steps_count: 0,
      logs: expect.stringContaining('division by zero'),
    });
    await expect(run()).rejects.toThrow(`P3009: migration ${bad} failed before`);
    await expect(pendingMigrationNames(database.url, folder)).rejects.toThrow('P3009');

    writeFileSync(path.join(folder, bad, 'migration.sql'), 'create table whole (n int)');
    const project = projectWith(folder);
    expect(await prisma(['migrate', 'deploy', '--config', project], database.url)).toMatchObject({
      code: 1,
      output: expect.stringContaining('P3009'),
    });
    expect(await prisma(['migrate', 'resolve', '--rolled-back', bad, '--config', project], database.url)).toMatchObject(
      { code: 0 },
    );
    expect(await run()).toEqual([bad]);
    expect((await prisma(['migrate', 'status', '--config', project], database.url)).output).toContain('up to date');
  });

  it('warns of a file that was changed after it was applied, and applies it no second time', async () => {
    await run();
    const file = path.join(folder, NAMES[0]!, 'migration.sql');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n-- changed\n`);
    const lines: string[] = [];
    expect(await run((line) => lines.push(line))).toEqual([]);
    expect(lines).toEqual([`warning: ${NAMES[0]} was changed after it was applied`]);
  });

  it("leaves Prisma's table as Prisma itself leaves it, so that each takes the other's work for its own", async () => {
    const theirs = await emptyDatabase();
    try {
      expect(await prisma(['migrate', 'deploy'], theirs.url)).toMatchObject({ code: 0 });
      await run();
      expect((await rows()).map(shapeOf)).toEqual((await rows(theirs)).map(shapeOf));
      expect(await columnsOf(database)).toEqual(await columnsOf(theirs));
      for (const store of [database, theirs]) {
        expect(await prisma(['migrate', 'status'], store.url)).toMatchObject({
          code: 0,
          output: expect.stringContaining('Database schema is up to date'),
        });
        expect(await prisma(['migrate', 'deploy'], store.url)).toMatchObject({
          code: 0,
          output: expect.stringContaining('No pending migrations'),
        });
        expect(await migrate({ connectionString: store.url, directory: MIGRATIONS })).toEqual([]);
      }
    } finally {
      await theirs.drop();
    }
  });

  it('makes the roles and the wall again in a second database of the same cluster', async () => {
    const second = await emptyDatabase();
    await Promise.all([run(), migrate({ connectionString: second.url, directory: folder })]);
    for (const store of [database, second]) {
      const open = await store.asOwner(
        `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not relforcerowsecurity order by 1`,
      );
      // none of them belongs to an organisation; partitions are reached by way of their table alone
      const names = [
        '_prisma_migrations',
        'database_life',
        'dead_letter_bulk_act',
        'delivery_lease',
        'event_partition',
        'event_zone',
      ];
      expect(open.map(({ relname }) => relname).filter((name) => !/^event_from_\d+$/.test(String(name)))).toEqual(
        names,
      );
    }
    await second.drop();
  });

  /** Checksums are of the files, so equal ones mean equal bytes were applied. */
  const shapeOf = (row: Record<string, unknown>): object => ({
    ...row,
    id: UUID_V4.test(String(row.id)),
    started_at: row.started_at instanceof Date,
    finished_at: row.finished_at instanceof Date && row.finished_at >= (row.started_at as Date),
    checksum:
      row.checksum ===
      createHash('sha256')
        .update(readFileSync(path.join(MIGRATIONS, String(row.migration_name), 'migration.sql')))
        .digest('hex'),
  });

  const columnsOf = (store: TestDatabase): Promise<object[]> =>
    store.asOwner(
      `select column_name, data_type, character_maximum_length, is_nullable, column_default, ordinal_position
       from information_schema.columns where table_name = '_prisma_migrations' order by ordinal_position`,
    );
});

/** A configuration of Prisma for other migrations than the project's; answers its path. */
function projectWith(migrations: string): string {
  const file = path.join(migrations, 'prisma.config.mjs');
  const settings = {
    schema: path.resolve('prisma/schema.prisma'),
    migrations: { path: migrations },
  };
  writeFileSync(
    file,
    `process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= ${JSON.stringify(path.resolve('scripts/schema-engine.mjs'))};
     export default { ...${JSON.stringify(settings)}, datasource: { url: process.env.DATABASE_URL } };`,
  );
  return file;
}
