import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '../../src/platform/database/migrate.js';
import { emptyDatabase, type TestDatabase } from '../support/database.js';

const NAME = '20261123100000_dead_letters';

jest.setTimeout(60_000);

describe('the migration that lists dead letters', () => {
  let database: TestDatabase;
  let before: string;
  beforeAll(async () => {
    database = await emptyDatabase();
    before = mkdtempSync(path.join(tmpdir(), 'ipm-migrations-'));
    cpSync('prisma/migrations', before, {
      recursive: true,
      filter: (file) => !(/\d{14}_\w+$/.exec(path.basename(file)) && path.basename(file) >= NAME),
    });
    await migrate({ connectionString: database.url, directory: before });
  });
  afterAll(async () => {
    rmSync(before, { recursive: true });
    await database.drop();
  });

  it('knows what had failed before it', async () => {
    await database.asOwner(
      `insert into delivery (orgcode, lane, position, replay_no, status, attempts, error_tag, reason, attempted_at) values
         ('acme', 1, 1, 0, 'dead', 3, 'http_500', 'attempts_exhausted', '2026-01-01'),
         ('acme', 1, 2, 0, 'scheduled', 1, 'timeout', null, '2026-01-02'),
         ('acme', 1, 3, 0, 'scheduled', 0, null, null, null),
         ('acme', 1, 4, 0, 'scheduled', 3, 'http_500', 'retried', '2026-01-03'),
         ('acme', 1, 5, 0, 'cancelled', 1, 'http_500', 'webhook_revoked', '2026-01-04'),
         ('acme', 1, 6, 0, 'delivered', 1, null, null, '2026-01-05')`,
    );
    await database.asOwner(`insert into delivery_dead (orgcode, lane, position, replay_no) values ('acme', 1, 1, 0)`);
    await database.asOwner(
      `insert into delivery_due (orgcode, lane, due_at, position, replay_no) select 'acme', 1, '2100-01-01', n, 0 from generate_series(2, 4) n`,
    );
    expect(await migrate({ connectionString: database.url, directory: 'prisma/migrations' })).toContain(NAME);
    expect(await database.asOwner('select position::int, error_tag from delivery_dead')).toEqual([
      { position: 1, error_tag: 'http_500' },
    ]);
    expect(
      await database.asOwner('select position::int, error_tag, failed_at from delivery_due order by position'),
    ).toEqual([
      { position: 2, error_tag: 'timeout', failed_at: expect.any(Date) },
      { position: 3, error_tag: null, failed_at: null },
      { position: 4, error_tag: null, failed_at: null },
    ]);
    expect(await database.asOwner('select position::int, reason from delivery_cancelled')).toEqual([
      { position: 5, reason: 'webhook_revoked' },
    ]);
    const forced = await database.asOwner<{ relforcerowsecurity: boolean }>(
      `select relforcerowsecurity from pg_class where relname in ('delivery', 'delivery_dead', 'delivery_due', 'delivery_cancelled')`,
    );
    expect(forced.map(({ relforcerowsecurity }) => relforcerowsecurity)).toEqual([true, true, true, true]);
  });
});
