import { TestApi } from '../support/api.js';
import { ipmOn, type Ran } from './ipm.js';

jest.setTimeout(60_000);

/** Past the triggers that make events final, as only a superuser can. */
const UNGUARDED = 'set session_replication_role = replica;';

const TAMPERINGS: [what: string, sql: (org: string) => string, brokenSeq: string][] = [
  [
    'a changed after',
    (org: string) => `update audit_event set after = '{"roles": []}' where orgcode = '${org}' and seq = 4`,
    '4',
  ],
  [
    'a changed actor',
    (org: string) => `update audit_event set actor = 'nobody' where orgcode = '${org}' and seq = 1`,
    '1',
  ],
  [
    'a changed time',
    (org: string) => `update audit_event set recorded_at = now() where orgcode = '${org}' and seq = 7`,
    '7',
  ],
  [
    'an event removed in the middle',
    (org: string) => `delete from audit_event where orgcode = '${org}' and seq = 4`,
    '5',
  ],
  ['the first event removed', (org: string) => `delete from audit_event where orgcode = '${org}' and seq = 1`, '2'],
  ['a cut-off tail', (org: string) => `delete from audit_event where orgcode = '${org}' and seq > 5`, '6'],
  ['every event removed', (org: string) => `delete from audit_event where orgcode = '${org}'`, '1'],
  [
    'every event removed and the head too',
    (org: string) =>
      `delete from audit_event where orgcode = '${org}'; delete from audit_chain where orgcode = '${org}'`,
    '1',
  ],
  ['a changed head', (org: string) => `update audit_chain set hash = sha256('') where orgcode = '${org}'`, '7'],
  ['a removed head', (org) => `delete from audit_chain where orgcode = '${org}'`, '1'],
  [
    'a chain computed anew from a changed event on',
    (org: string) => `do $$
      declare e audit_event; previous bytea;
      begin
        update audit_event set actor = 'nobody' where orgcode = '${org}' and seq = 3;
        for e in select * from audit_event where orgcode = '${org}' order by seq loop
          e.previous_hash := coalesce(previous, e.previous_hash);
          previous := audit_event_hash(e);
          update audit_event set previous_hash = e.previous_hash, hash = previous where orgcode = '${org}' and seq = e.seq;
        end loop;
      end $$`,
    '7',
  ],
];

describe('ipm audit verify', () => {
  let api: TestApi;
  let ipm: (...args: string[]) => Promise<Ran>;

  beforeAll(async () => {
    api = await TestApi.start();
    ipm = ipmOn(api.database.url);
  });
  afterAll(() => api.close());

  /** An organisation with a chain of seven events. */
  const aChain = async (code?: string): Promise<string> => {
    const orgcode = await api.anOrg(code);
    for (let i = 0; i < 6; i += 1) await api.aKey(orgcode);
    return orgcode;
  };
  const tamper = (sql: string): Promise<unknown> => api.database.asOwner(`${UNGUARDED} ${sql}`);

  it('finds chains intact and tells their heads', async () => {
    const orgcode = await aChain();
    const verified = await ipm('audit', 'verify', '--org', orgcode, '--json');
    const [head] = await api.database.asOwner<{ hash: string }>(
      `select encode(hash, 'hex') as hash from audit_chain where orgcode = $1`,
      [orgcode],
    );
    expect(verified).toMatchObject({
      exitCode: 0,
      stderr: '',
      document: { intact: true, chains: [{ orgcode, intact: true, checked: 7, head_seq: '7', head_hash: head!.hash }] },
    });
  });

  it('finds each kind of tampering in one run over all organisations, and the sound chain among them', async () => {
    const sound = await aChain();
    const expected: object[] = [];
    for (const [what, sql, broken_seq] of TAMPERINGS) {
      const orgcode = await aChain(`t-${what.replaceAll(' ', '-')}`);
      await tamper(sql(orgcode));
      expected.push({ orgcode, intact: false, broken_seq });
    }
    const verified = await ipm('audit', 'verify', '--json');
    expect(verified).toMatchObject({ exitCode: 1, stderr: '', document: { intact: false } });
    const chains: Record<string, unknown>[] = verified.document.chains;
    const found = chains.map(({ orgcode, intact, broken_seq }) => ({ orgcode, intact, broken_seq }));
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(chains.find(({ orgcode }) => orgcode === sound)).toMatchObject({ intact: true, checked: 7 });
  });

  it('says which event is the first broken one and what it claims of itself', async () => {
    const orgcode = await aChain();
    await tamper(`update audit_event set reason = 'another' where orgcode = '${orgcode}' and seq in (3, 5)`);
    const verified = await ipm('audit', 'verify', '--org', orgcode);
    expect(verified.exitCode).toBe(1);
    expect(verified.stdout).toMatch(
      new RegExp(`^${orgcode}: broken at event 3 \\(access/key/create by spec at .*changed or removed`, 'm'),
    );
  });

  it('does not know organisations that are not there', async () => {
    expect(await ipm('audit', 'verify', '--org', 'nowhere')).toMatchObject({ exitCode: 1, stdout: '' });
  });
});
