import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { PostgresServer } from '../../src/local/postgres-server.js';
import { ProcessRecords } from '../../src/local/process-records.js';
import { accountForPostgres, temporaryFolderFor } from '../../src/local/server-account.js';
import { Watchdog } from '../../src/local/watchdog-link.js';
import { openPool } from '../../src/platform/database/connection-pool.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { TestApi } from '../support/api.js';
import type { TestDatabase } from '../support/database.js';
import { anInhabitant } from './two-organisations.js';

/** Roles belong to the cluster, and other specs run in ours at the same time: these holes are made in a cluster of their own. */
describe('the database roles', () => {
  let folder: string;
  let watchdog: Watchdog;
  let records: ProcessRecords;
  let database: TestDatabase;

  beforeAll(async () => {
    folder = temporaryFolderFor(accountForPostgres(''), 'ipm-roles-');
    watchdog = new Watchdog(path.join(folder, 'watchdog.log'), path.resolve('dist/local/watchdog.js'));
    records = new ProcessRecords(path.join(folder, 'processes.json'), watchdog);
    const postgres = await PostgresServer.start({
      cluster: path.join(folder, 'postgres'),
      password: randomBytes(12).toString('hex'),
      durable: false,
      rememberedPort: undefined,
      logFile: path.join(folder, 'postgres.log'),
      records,
      stopping: undefined,
    });
    await postgres.ensureDatabase('ipm');
    const url = postgres.url('ipm');
    await migrate({ connectionString: url, directory: 'prisma/migrations' });
    database = { url, asOwner: (sql, values) => asOwner(url, sql, values), drop: async () => undefined };
  }, 60_000);
  afterAll(async () => {
    await records.stopAll();
    await watchdog.finish();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [
      'is a superuser',
      'alter role ipm_app superuser',
      'alter role ipm_app nosuperuser',
      'ipm_app is a superuser or bypasses row-level security',
    ],
    [
      'bypasses row-level security',
      'alter role ipm_app bypassrls',
      'alter role ipm_app nobypassrls',
      'ipm_app is a superuser or bypasses row-level security',
    ],
    [
      'is a member of ipm_system',
      'grant ipm_system to ipm_app',
      'revoke ipm_system from ipm_app',
      'ipm_app has the rights of ipm_system',
    ],
    [
      'inherits from ipm_system',
      'grant ipm_system to ipm_app with inherit true',
      'revoke ipm_system from ipm_app',
      'ipm_app has the rights of ipm_system',
    ],
    [
      'is a member of the owner of a table',
      'create role keepers; alter table api_key owner to keepers; grant keepers to ipm_app',
      'alter table api_key owner to postgres; drop role keepers',
      'table api_key is open',
    ],
    [
      'is a member of a role with a policy of its own',
      'create role auditors; create policy wide on audit_event to auditors using (true); grant auditors to ipm_app',
      'drop policy wide on audit_event; drop role auditors',
      'table audit_event is open',
    ],
  ])('refuses to serve when ipm_app %s', async (_hole, make, mend, said) => {
    await database.asOwner(make);
    await expect(TestApi.startOn(database)).rejects.toThrow(said);
    await database.asOwner(mend);
    const api = await TestApi.startOn(database);
    await api.app.close();
  });

  describe('with a login that may do nothing but take them', () => {
    let login: TestDatabase;
    beforeAll(async () => {
      const password = randomBytes(12).toString('hex');
      await database.asOwner(
        `create role ipm_login login noinherit password '${password}'; grant ipm_app, ipm_system to ipm_login`,
      );
      const url = new URL(database.url);
      [url.username, url.password] = ['ipm_login', password];
      login = { ...database, url: url.toString() };
    });

    it('serves, and sees its own organisation alone', async () => {
      const api = await TestApi.startOn(login);
      const here = await anInhabitant(api);
      const answer = await api.call('/access/key/list', {}, { orgcode: here.orgcode, key: here.ownerKey });
      expect(answer.body.data.items).toHaveLength(2);
      await api.app.close();
    });

    it.each([
      ['become the owner', 'set role postgres'],
      ['switch the wall off', 'alter table api_key disable row level security'],
      ['make a role', 'create role more superuser'],
      ['make a table', 'create table more (n int)'],
      ['read the migrations', 'select * from _prisma_migrations'],
      ['lift the wall for itself', 'set role none; set row_security = off; select * from api_key'],
      ['change an audit event', `update audit_event set actor = 'x'`],
      ['delete an audit event', 'delete from audit_event'],
      ['empty the audit', 'truncate audit_event'],
    ])('cannot %s', async (_what, sql) => {
      for (const role of ['ipm_app', 'ipm_system'] as const) {
        const pool = openPool({ url: login.url, role, size: 1 });
        await expect(pool.query(sql)).rejects.toMatchObject({ code: '42501' });
        await pool.end();
      }
    });

    it('starts every connection in its role, and comes back to it on reset', async () => {
      const pool = openPool({ url: login.url, role: 'ipm_app', size: 1 });
      expect((await pool.query('select current_user::text as me')).rows).toEqual([{ me: 'ipm_app' }]);
      await pool.query('reset role');
      expect((await pool.query('select current_user::text as me')).rows).toEqual([{ me: 'ipm_app' }]);
      expect((await pool.query('select * from api_key')).rows).toEqual([]);
      await pool.end();
    });
  });
});

async function asOwner<Row extends pg.QueryResultRow>(
  connectionString: string,
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
