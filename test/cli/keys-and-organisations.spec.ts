import { TestApi } from '../support/api.js';
import { ipmOn, type Ran } from './ipm.js';

jest.setTimeout(60_000);

describe('ipm key and ipm org', () => {
  let api: TestApi;
  let ipm: (...args: string[]) => Promise<Ran>;

  beforeAll(async () => {
    api = await TestApi.start();
    ipm = ipmOn(api.database.url);
  });
  afterAll(() => api.close());

  const auditOf = (orgcode: string): Promise<Record<string, unknown>[]> =>
    api.database.asOwner('select * from audit_event where orgcode = $1 order by seq', [orgcode]);

  it('makes an organisation and a key that works, and audits both under the name of the operator', async () => {
    const made = await ipm(
      'key',
      'create',
      '--org',
      'acme',
      '--role',
      'view',
      '--role',
      'owner',
      '--reason',
      'first day',
      '--json',
    );
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.document).toMatchObject({
      orgcode: 'acme',
      organisation_created: true,
      roles: ['integration_view', 'owner'],
      status: 'active',
    });
    expect((await api.call('/access/org/get', {}, { orgcode: 'acme', key: made.document.api_key })).status).toBe(200);
    const events = await auditOf('acme');
    expect(events.map((event) => event.event_type)).toEqual(['access/org/create', 'access/key/create']);
    expect(events[1]).toMatchObject({ outcome: 'done', context_source: 'operator', reason: 'first day' });
    expect(events[1]!.actor).toMatch(/^cli:./);
    expect(JSON.stringify(events)).not.toContain(made.document.api_key);
  });

  it('takes the full names of roles, a caption and an end', async () => {
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    const made = await ipm(
      ...['key', 'create', '--org', 'full', '--role', 'integration_service', '--caption', 'order feed'],
      ...['--expires', expires],
    );
    expect(made.exitCode).toBe(0);
    expect(made.stdout).toMatch(/^API key +ipm_\w+$/m);
    expect(made.stdout).toMatch(/^Organisation +full \(new\)$/m);
    const { document } = await ipm('key', 'list', '--org', 'full', '--json');
    expect(document.items).toMatchObject([
      { roles: ['integration_service'], caption: 'order feed', expires_at: expires, status: 'active' },
    ]);
  });

  it.each([
    [['--role', 'boss'], 'A role is view'],
    [[], "required option '--role <role>'"],
    [['--role', 'owner', '--expires', '2027-02-30T00:00:00Z'], 'A time is written as'],
    [['--role', 'owner', '--expires', '2020-01-01T00:00:00Z'], 'It must lie in the future'],
    [['--role', 'owner', '--caption', 'x'.repeat(257)], 'caption: too_long'],
  ])('refuses %j as wrong usage and makes nothing', async (args, sentence) => {
    const refused = await ipm('key', 'create', '--org', 'untouched', ...args);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain(sentence);
    expect(await api.database.asOwner(`select 1 from organisation where orgcode = 'untouched'`)).toEqual([]);
  });

  it('lists every key beyond one page, newest first', async () => {
    const orgcode = await api.anOrg();
    await api.database.asOwner(
      `insert into api_key (orgcode, key_id, verifier, fingerprint, roles, created_by, created_at)
       select $1, 'key' || n, sha256(($1 || n)::bytea), 'f', '{owner}', 'spec', now() + n * interval '1 second'
       from generate_series(1, 300) n`,
      [orgcode],
    );
    const { document } = await ipm('key', 'list', '--org', orgcode, '--json');
    expect(document.items.map(({ key_id }: { key_id: string }) => key_id)).toEqual(
      Array.from({ length: 300 }, (_, i) => `key${300 - i}`),
    );
  });

  it('revokes a key once, and keeps the last owner key', async () => {
    const { orgcode, key } = await api.anOwner();
    const second = (await ipm('key', 'create', '--org', orgcode, '--role', 'owner', '--json')).document;
    expect((await ipm('key', 'revoke', '--org', orgcode, second.key_id)).exitCode).toBe(0);
    expect((await api.call('/access/org/get', {}, { orgcode, key: second.api_key })).status).toBe(401);
    const again = await ipm('key', 'revoke', '--org', orgcode, second.key_id);
    expect(again).toMatchObject({ exitCode: 1, stdout: '', stderr: 'The api key is revoked already.\n' });
    const { items } = (await ipm('key', 'list', '--org', orgcode, '--json')).document;
    const last = items.find((item: { status: string }) => item.status === 'active').key_id;
    const refused = await ipm('key', 'revoke', '--org', orgcode, last, '--json');
    expect(refused).toMatchObject({ exitCode: 1, document: { error: { error_code: 'last_owner_key' } } });
    expect((await api.call('/access/org/get', {}, { orgcode, key })).status).toBe(200);
  });

  it('does not know keys and organisations that are not there', async () => {
    expect(await ipm('key', 'revoke', '--org', 'nowhere', 'k')).toMatchObject({
      exitCode: 1,
      stderr: 'There is no such organisation; ipm org list shows those there are.\n',
    });
    expect((await ipm('key', 'list', '--org', 'nowhere')).exitCode).toBe(1);
    expect((await ipm('key', 'revoke', '--org', await api.anOrg(), 'k')).stderr).toContain(
      'no API key with that key id',
    );
    expect(await auditOf('nowhere')).toEqual([]);
  });

  it('lists all organisations in the order of their codes', async () => {
    const { document } = await ipm('org', 'list', '--json');
    const rows = await api.database.asOwner<{ orgcode: string }>('select orgcode from organisation order by orgcode');
    expect(document.items.map(({ orgcode }: { orgcode: string }) => orgcode)).toEqual(
      rows.map(({ orgcode }) => orgcode),
    );
    expect((await ipm('org', 'list')).stdout).toMatch(/^ORGCODE +ID +/);
  });

  it('changes what is given and leaves the rest, limits too', async () => {
    const orgcode = await api.anOrg();
    const first = await ipm(
      ...['org', 'set', orgcode, '--caption', 'Acme Ltd', '--time-zone', 'Europe/Berlin', '--week-start', 'sunday'],
      ...['--catalog-policy', 'reject', '--limit', 'key=50', '--limit', 'feed=70', '--json'],
    );
    expect(first.document).toMatchObject({
      caption: 'Acme Ltd',
      time_zone: 'Europe/Berlin',
      week_start: 'sunday',
      catalog_policy: 'reject',
      limits: { key: 50, feed: 70 },
      revision: '2',
    });
    await ipm('org', 'set', orgcode, '--limit', 'key=default', '--limit', 'bulk=5', '--reason', 'a bulk week');
    const { document } = await ipm('org', 'get', orgcode, '--json');
    expect(document).toMatchObject({ caption: 'Acme Ltd', limits: { feed: 70, bulk: 5 }, revision: '3' });
    expect(document.limits).not.toHaveProperty('key');
    const last = (await auditOf(orgcode)).at(-1);
    expect(last).toMatchObject({
      event_type: 'access/org/set',
      reason: 'a bulk week',
      before: { limits: { key: 50 } },
    });
  });

  it('makes the limit that it sets hold for calls', async () => {
    const { orgcode, key } = await api.anOwner();
    await ipm('org', 'set', orgcode, '--limit', 'key=1234');
    const { headers } = await api.call('/access/org/get', {}, { orgcode, key });
    expect(headers['ratelimit-policy']).toContain('q=1234;');
  });

  it.each([
    [['--limit', 'login=5'], 2],
    [['--limit', 'key=0'], 2],
    [['--limit', 'key'], 2],
    [['--week-start', 'tuesday'], 2],
    [['--time-zone', 'Mars/Crater'], 1],
    [[], 2],
  ])('refuses the settings %j', async (args, exitCode) => {
    const orgcode = await api.anOrg();
    expect((await ipm('org', 'set', orgcode, ...args)).exitCode).toBe(exitCode);
    const [org] = await api.database.asOwner('select revision from organisation where orgcode = $1', [orgcode]);
    expect(org).toEqual({ revision: '1' });
  });

  it('prints no control characters of a caption', async () => {
    const orgcode = await api.anOrg();
    const { stdout } = await ipm('org', 'set', orgcode, '--caption', 'red\x1b[31m');
    expect(stdout).toContain('red\ufffd[31m');
  });

  it('begins a new epoch only when told twice', async () => {
    const epoch = async (): Promise<unknown> => (await api.database.asOwner('select epoch from database_life'))[0];
    const before = await epoch();
    expect((await ipm('epoch', 'new')).exitCode).toBe(2);
    expect(await epoch()).toEqual(before);
    const { document } = await ipm('epoch', 'new', '--yes', '--json');
    expect(await epoch()).toEqual({ epoch: document.epoch });
    expect(await epoch()).not.toEqual(before);
  });
});
