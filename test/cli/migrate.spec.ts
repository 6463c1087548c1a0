import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { emptyDatabase, type TestDatabase } from '../support/database.js';
import { ProductProcess } from '../support/product-process.js';
import { ipmOn, runIpm, type Ran } from './ipm.js';

jest.setTimeout(60_000);

describe('ipm migrate', () => {
  let database: TestDatabase;
  let logins: string[];

  beforeEach(async () => {
    database = await emptyDatabase();
    logins = [];
  });
  afterEach(async () => {
    for (const login of logins) {
      const exists = await database.asOwner('select 1 from pg_roles where rolname = $1', [login]);
      if (exists.length > 0) await database.asOwner(`drop owned by ${login}; drop role ${login}`);
    }
    await database.drop();
  });

  /** A URL of this database for a login of which nobody has heard; logins belong to the whole cluster. */
  const urlOf = (
    password = randomBytes(6).toString('hex'),
    login = `serve_${randomBytes(4).toString('hex')}`,
  ): string => {
    logins.push(login);
    const url = new URL(database.url);
    url.username = login;
    url.password = password;
    return url.toString();
  };
  const migrateFor = (servingUrl: string, ownerUrl = database.url): Promise<Ran> =>
    ipmOn(servingUrl, { DATABASE_OWNER_URL: ownerUrl })('migrate', '--json');
  const as = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  it('applies what is missing, once, and needs nothing but DATABASE_URL', async () => {
    const first = await runIpm({ DATABASE_URL: database.url }, 'migrate', '--json');
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(first.document.applied.length).toBeGreaterThan(0);
    expect(first.document).not.toHaveProperty('login');
    const rows = await database.asOwner<{ name: string }>(
      'select migration_name as name from _prisma_migrations order by 1',
    );
    expect(first.document.applied).toEqual(rows.map(({ name }) => name));
    const second = await runIpm({ DATABASE_URL: database.url }, 'migrate', '--json');
    expect(second).toMatchObject({ exitCode: 0, document: { applied: [] } });
  });

  it('makes the least login that serves, and serving with it works', async () => {
    const servingUrl = urlOf();
    const [login] = logins;
    expect(await migrateFor(servingUrl)).toMatchObject({
      exitCode: 0,
      document: { login: { name: login, made: true } },
    });
    const [role] = await database.asOwner('select * from pg_roles where rolname = $1', [login]);
    expect(role).toMatchObject({
      rolcanlogin: true,
      rolsuper: false,
      rolinherit: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolreplication: false,
    });
    const members = await database.asOwner(
      `select g.rolname, m.admin_option from pg_auth_members m join pg_roles g on g.oid = m.roleid
       where m.member = $1::regrole order by 1`,
      [login],
    );
    expect(members).toEqual([
      { rolname: 'ipm_app', admin_option: false },
      { rolname: 'ipm_system', admin_option: false },
    ]);
    const product = await ProductProcess.start(servingUrl, { IPM_ROLE: 'all' });
    expect(await product.stop()).toBe(0);
    const ipm = ipmOn(servingUrl);
    expect(await ipm('key', 'create', '--org', 'acme', '--role', 'owner')).toMatchObject({ exitCode: 0 });
    const { checks } = (await ipm('doctor', '--json')).document;
    const verdictOf = (check: string): unknown =>
      checks.find((finding: { check: string }) => finding.check === check).verdict;
    expect([verdictOf('tenant wall'), verdictOf('migrations')]).toEqual(['ok', 'ok']);
  });

  it('lets that login read no table unless it becomes a serving role', async () => {
    const servingUrl = urlOf();
    await migrateFor(servingUrl);
    await ipmOn(servingUrl)('key', 'create', '--org', 'acme', '--role', 'owner');
    const tables = await database.asOwner<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public'`,
    );
    expect(tables.length).toBeGreaterThan(5);
    await as(servingUrl, async (client) => {
      for (const { name } of tables) {
        await expect(client.query(`select 1 from ${name}`)).rejects.toThrow('permission denied');
        await expect(client.query(`delete from ${name}`)).rejects.toThrow('permission denied');
      }
      await expect(client.query('create table public.mine ()')).rejects.toThrow('permission denied');
      await expect(client.query('set role postgres')).rejects.toThrow('permission denied');
      await client.query('set role ipm_app');
      expect((await client.query('select 1 from organisation')).rows).toEqual([]); // no organisation is set
      await client.query('set role ipm_system');
      expect((await client.query('select 1 from organisation')).rows).toHaveLength(1);
    });
  });

  it('takes a new password, closes what was opened on the login by hand, and otherwise changes nothing', async () => {
    const [login, first, second] = ['serve_again', `it's "one" \\ thing`, 'another password'];
    await migrateFor(urlOf(first, login));
    const password = async (): Promise<unknown> =>
      (await database.asOwner('select rolpassword from pg_authid where rolname = $1', [login]))[0];
    expect(JSON.stringify(await password())).toContain('SCRAM-SHA-256');
    await as(urlOf(first, login), (client) => client.query('select 1'));
    await database.asOwner(`alter role ${login} inherit nologin; grant ipm_app to ${login} with inherit true`);
    expect(await migrateFor(urlOf(second, login))).toMatchObject({
      exitCode: 0,
      document: { applied: [], login: { made: false } },
    });
    await as(urlOf(second, login), async (client) => {
      await expect(client.query('select 1 from organisation')).rejects.toThrow('permission denied');
    });
    await expect(as(urlOf(first, login), (client) => client.query('select 1'))).rejects.toThrow(
      'password authentication failed',
    );
  });

  it.each([
    ['superuser', 'alter role LOGIN superuser', 'is a superuser'],
    ['bypasses', 'alter role LOGIN bypassrls', 'bypasses row-level security'],
    ['creates', 'alter role LOGIN createrole createdb', 'creates roles, creates databases'],
    ['member', 'grant pg_read_all_data to LOGIN', 'is a member of pg_read_all_data'],
    ['admin', 'grant ipm_app to LOGIN with admin option', 'is a member of ipm_app, with admin option'],
    ['granted', 'grant select on organisation to LOGIN', 'reaches table organisation'],
    ['owner', 'create table theirs (); alter table theirs owner to LOGIN', 'owns theirs'],
  ])('refuses a login that can do more, and leaves it as it was: %s', async (name, sql, power) => {
    await runIpm({ DATABASE_URL: database.url }, 'migrate');
    const servingUrl = urlOf('another', `serve_${name}`);
    await database.asOwner(
      `create role serve_${name} login password 'theirs'; ${sql.replaceAll('LOGIN', `serve_${name}`)}`,
    );
    const refused = await migrateFor(servingUrl);
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { error_code: 'login_too_powerful' } } });
    expect(refused.stderr).toContain(power);
    const url = new URL(servingUrl);
    url.password = 'theirs';
    await as(url.toString(), (client) => client.query('select 1'));
  });

  it('migrates as an owner that is no superuser', async () => {
    const ownerUrl = urlOf('owner', 'ipm_owner_spec');
    await database.asOwner(`create role ipm_owner_spec login createrole password 'owner'`);
    await database.asOwner('grant ipm_app, ipm_system to ipm_owner_spec with admin option');
    const name = new URL(database.url).pathname.slice(1);
    await database.asOwner(`alter database ${name} owner to ipm_owner_spec`);
    const servingUrl = urlOf();
    expect(await migrateFor(servingUrl, ownerUrl)).toMatchObject({ exitCode: 0, document: { login: { made: true } } });
    expect(await migrateFor(servingUrl, ownerUrl)).toMatchObject({ exitCode: 0, document: { login: { made: false } } });
    expect((await ipmOn(servingUrl)('key', 'create', '--org', 'acme', '--role', 'owner')).exitCode).toBe(0);
    await database.asOwner(
      `alter database ${name} owner to current_user; reassign owned by ipm_owner_spec to current_user`,
    );
    logins.reverse(); // whom the owner made goes first
  });

  it('makes one login when two migrate at once', async () => {
    const servingUrl = urlOf();
    const both = await Promise.all([migrateFor(servingUrl), migrateFor(servingUrl)]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(both.filter(({ document }) => document.login.made)).toHaveLength(1);
  });

  it('makes the secrets file that is missing, for its owner only, and keeps one that is there', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'ipm-secrets-')), 'kept/secrets.json');
    const environment = { DATABASE_URL: database.url, IPM_SECRETS_FILE: file };
    expect((await runIpm(environment, 'migrate', '--json')).document.secrets_file).toEqual({ path: file, made: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const kept = readFileSync(file, 'utf8');
    expect((await runIpm(environment, 'migrate', '--json')).document.secrets_file).toEqual({ path: file, made: false });
    expect(readFileSync(file, 'utf8')).toBe(kept);
    const ipm = ipmOn(database.url, { IPM_SECRETS_FILE: file, IPM_SECRET: undefined, IPM_ENCRYPTION_KEYS: undefined });
    expect((await ipm('key', 'create', '--org', 'acme', '--role', 'owner')).exitCode).toBe(0);
  });

  it('says where the database is away, missing or refuses us', async () => {
    const url = (change: (url: URL) => void): Record<string, string> => {
      const changed = new URL(database.url);
      change(changed);
      return { DATABASE_URL: changed.toString() };
    };
    const away = await runIpm(
      url((to) => (to.port = '1')),
      'migrate',
    );
    const missing = await runIpm(
      url((to) => (to.pathname = '/nowhere')),
      'migrate',
    );
    const refused = await runIpm(
      url((to) => (to.password = 'a-wrong-one')),
      'migrate',
    );
    expect([away.exitCode, missing.exitCode, refused.exitCode]).toEqual([3, 2, 2]);
    expect(missing.stderr).toContain('create the database');
    expect(refused.stderr).not.toContain('a-wrong-one');
  });
});
