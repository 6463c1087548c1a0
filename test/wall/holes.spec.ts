import { TestApi } from '../support/api.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

const PARTITIONED = `
  create table parted (orgcode text not null, n int not null) partition by range (n);
  create table parted_1 partition of parted for values from (0) to (10);
  grant select, insert on parted to ipm_app;
  select ipm_raise_tenant_wall('parted')`;

/** What the start must say, by the hole that SQL makes; `of` is another role of ours in the clone. */
const HOLES: [hole: string, sql: string, said: string][] = [
  ['row-level security is off', 'alter table api_key disable row level security', 'table api_key is open'],
  ['row-level security is not forced', 'alter table session no force row level security', 'table session is open'],
  ['the policy is gone', 'drop policy one_organisation on event_type', 'table event_type is open'],
  [
    'a policy lets ipm_app see all',
    'create policy wide on audit_event for select to ipm_app using (true)',
    'table audit_event is open',
  ],
  ['a policy lets everybody see all', 'create policy wide on audit_chain using (true)', 'table audit_chain is open'],
  [
    'a policy sees all in other words',
    'create policy wide on organisation to ipm_app using (1 = 1)',
    'table organisation is open',
  ],
  [
    'a policy lets ipm_app write anywhere',
    'create policy wide on event_type for insert to ipm_app with check (true)',
    'table event_type is open',
  ],
  ['a partition is granted', `${PARTITIONED}; grant select on parted_1 to ipm_app`, 'partition parted_1 is granted'],
  [
    'a partition is granted for writing to everybody',
    `${PARTITIONED}; grant insert on parted_1 to public`,
    'partition parted_1 is granted',
  ],
  [
    'a new table has no wall',
    'create table fresh (orgcode text, n int); grant select on fresh to ipm_app',
    'table fresh is open',
  ],
  [
    'a new table belongs to ipm_app',
    `create table own (orgcode text); select ipm_raise_tenant_wall('own'); alter table own owner to ipm_app`,
    'table own is open',
  ],
  [
    'a view shows rows of all',
    `create view every_key as select * from api_key; grant select on every_key to ipm_app; ${anOrganisationWithAKey()}`,
    'every_key shows rows',
  ],
];

describe('the process refuses to serve when the tenant wall has a hole:', () => {
  let database: TestDatabase;
  beforeEach(async () => (database = await testDatabase()));
  afterEach(() => database.drop());

  it.each(HOLES)('%s', async (_hole, sql, said) => {
    await database.asOwner(sql);
    await expect(TestApi.startOn(database)).rejects.toThrow(said);
  });

  it('names all holes at once', async () => {
    await database.asOwner(
      'alter table api_key disable row level security; drop policy one_organisation on event_type',
    );
    await expect(TestApi.startOn(database)).rejects.toThrow(/table api_key is open; table event_type is open/);
  });

  it('and serves when there is none, also with a partitioned table whose partitions are not granted', async () => {
    await database.asOwner(PARTITIONED);
    const api = await TestApi.startOn(database);
    expect((await api.send('/stat', { method: 'GET' })).status).toBe(200);
    await api.app.close();
  });

  it('leaves no connection behind when it refuses', async () => {
    await database.asOwner('alter table api_key disable row level security');
    await expect(TestApi.startOn(database)).rejects.toThrow('api_key');
    const open = await database.asOwner(
      `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    expect(open).toEqual([]);
  });
});

function anOrganisationWithAKey(): string {
  return `insert into organisation (orgcode) values ('acme');
    insert into api_key (orgcode, key_id, verifier, fingerprint, created_by) values ('acme', 'k', 'v', 'f', 'spec')`;
}
