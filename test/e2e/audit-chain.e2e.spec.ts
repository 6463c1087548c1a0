import { AuditVerification, type ChainReport } from '../../src/audit/audit-verification.service.js';
import { TestApi, writeGrounds } from '../support/api.js';

describe('the chain of audit events', () => {
  let api: TestApi;
  let orgcode: string;
  let key: string;
  beforeAll(async () => (api = await TestApi.start()));
  afterAll(() => api.close());
  beforeEach(async () => ({ orgcode, key } = await api.anOwner()));

  const openSession = async (): Promise<number> =>
    (
      await api.call(
        '/access/session/open',
        { ...writeGrounds(orgcode), actor: 'a', roles: ['auditor'] },
        { orgcode, key },
      )
    ).status;
  const verify = (): Promise<ChainReport> => api.app.get(AuditVerification).verify(orgcode);
  const seqs = async (): Promise<number[]> =>
    (
      await api.database.asOwner<{ seq: string }>('select seq from audit_event where orgcode = $1 order by seq', [
        orgcode,
      ])
    ).map(({ seq }) => Number(seq));
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

  it('has no gap and no fork when 50 write at once, and refusals are links of it too', async () => {
    const writes = upTo(50).map(() => openSession());
    const refusals = upTo(10).map(() =>
      api.call('/access/key/revoke', { ...writeGrounds(orgcode), key_id: 'nobody' }, { orgcode, key }),
    );
    expect(new Set(await Promise.all(writes))).toEqual(new Set([200]));
    await Promise.all(refusals);
    expect(await seqs()).toEqual(upTo(62)); // the organisation, its key
    expect(await verify()).toMatchObject({
      intact: true,
      checked: 62,
      headSeq: '62',
      headHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is in order of time as of number', async () => {
    await Promise.all(upTo(10).map(() => openSession()));
    const outOfOrder = await api.database.asOwner(
      'select 1 from (select recorded_at < lag(recorded_at) over (order by seq) as back from audit_event where orgcode = $1) t where back',
      [orgcode],
    );
    expect(outOfOrder).toEqual([]);
  });

  it('of one organisation does not wait for and does not touch the one of another', async () => {
    const other = await api.anOwner();
    await openSession();
    const report = await api.app.get(AuditVerification).verify(other.orgcode);
    expect(report).toMatchObject({ intact: true, checked: 2, headSeq: '2' });
  });

  it('of nobody is intact and empty', async () => {
    expect(await api.app.get(AuditVerification).verify('nobody')).toMatchObject({
      intact: true,
      checked: 0,
      headSeq: '0',
    });
  });

  it('is intact while others write to it', async () => {
    let writing = true;
    const writers = upTo(3).map(async () => {
      while (writing) await openSession();
    });
    const reports: boolean[] = [];
    for (let i = 0; i < 20; i += 1) reports.push((await verify()).intact);
    writing = false;
    await Promise.all(writers);
    expect(new Set(reports)).toEqual(new Set([true]));
  });

  it.each([
    ['change', `update audit_event set actor = 'somebody else'`],
    ['delete', 'delete from audit_event'],
    ['truncate', 'truncate audit_event'],
    ['truncate with cascade', 'truncate organisation, audit_event cascade'],
  ])('lets not even the owner of the tables %s events', async (_what, sql) => {
    await expect(api.database.asOwner(sql)).rejects.toThrow('audit events are insert-only');
  });

  it('numbers and links an event itself, whatever an insert says', async () => {
    await api.database.asOwner(
      `insert into audit_event (orgcode, seq, event_type, outcome, actor, context_source, request_id, previous_hash, hash, recorded_at)
       values ($1, 999, 'forged', 'done', 'a', 'system', 'r', 'x', 'x', '2001-01-01')`,
      [orgcode],
    );
    expect(await seqs()).toEqual([1, 2, 3]);
    expect((await verify()).intact).toBe(true);
    const [row] = await api.database.asOwner<{ now: boolean }>(
      "select recorded_at > now() - interval '1 minute' as now from audit_event where orgcode = $1 and seq = 3",
      [orgcode],
    );
    expect(row!.now).toBe(true);
  });

  describe('tells, when somebody past all triggers', () => {
    beforeEach(async () => {
      for (let i = 0; i < 5; i += 1) await openSession(); // seq 3 to 7
    });

    const tamper = (sql: string): Promise<unknown> =>
      api.database.asOwner(
        `begin; set local session_replication_role = replica; ${sql.replaceAll('$org', `'${orgcode}'`)}; commit`,
      );

    const columns = [
      `audit_id = gen_random_uuid()`,
      `event_type = 'x'`,
      `outcome = 'refused'`,
      `error_tag = 'x'`,
      `actor = 'x'`,
      `claimed_actor = 'x'`,
      `roles = '{auditor}'`,
      `context_source = 'system'`,
      `fingerprint = 'x'`,
      `resource_type = 'x'`,
      `resource_id = 'x'`,
      `before = '{}'`,
      `after = '{}'`,
      `reason = 'x'`,
      `source_refs = '[]'`,
      `request_id = 'x'`,
      `trace_id = 'x'`,
      `idempotency_key = 'x'`,
      `cccode = 'x'`,
      `logical_guid = 'x'`,
      `channel_code = 'x'`,
      `recorded_at = recorded_at + interval '1 ms'`,
      `previous_hash = sha256('x')`,
      `hash = sha256('x')`,
    ];

    it('changes any column of an event', async () => {
      const names = (
        await api.database.asOwner<{ name: string }>(
          `select column_name::text as name from information_schema.columns where table_name = 'audit_event'`,
        )
      ).map(({ name }) => name);
      const covered = columns.map((change) => change.split(' ')[0]);
      expect(names.filter((name) => !covered.includes(name)).sort()).toEqual(['orgcode', 'seq']);
      for (const change of columns) {
        await tamper(
          `create table kept as select * from audit_event where orgcode = $org; update audit_event set ${change} where orgcode = $org and seq = 4`,
        );
        expect({ change, ...(await verify()) }).toMatchObject({ change, intact: false, brokenSeq: '4' });
        await tamper(
          `delete from audit_event where orgcode = $org; insert into audit_event select * from kept; drop table kept`,
        );
        expect((await verify()).intact).toBe(true);
      }
    });

    it.each([
      ['removes one in the middle', 'delete from audit_event where orgcode = $org and seq = 4', '5'],
      ['removes the first', 'delete from audit_event where orgcode = $org and seq = 1', '2'],
      [
        'removes one and closes the gap',
        'delete from audit_event where orgcode = $org and seq = 4; update audit_event set seq = seq - 1 where orgcode = $org and seq > 4',
        '4',
      ],
      ['cuts off the tail', 'delete from audit_event where orgcode = $org and seq > 5', '6'],
      ['removes all', 'delete from audit_event where orgcode = $org', '1'],
      [
        'puts two in another order',
        'update audit_event set seq = case seq when 4 then 5 else 4 end + 100 where orgcode = $org and seq in (4, 5); update audit_event set seq = seq - 100 where orgcode = $org and seq > 100',
        '4',
      ],
      [
        'inserts one in the middle',
        `update audit_event set seq = seq + 101 where orgcode = $org and seq > 4; update audit_event set seq = seq - 100 where orgcode = $org and seq > 100; ${forgery(5)}`,
        '6',
      ],
      ['adds one at the end', `${forgery(8)}`, '8'],
      [
        'changes an event and mends its hash',
        `update audit_event set actor = 'x' where orgcode = $org and seq = 4; update audit_event e set hash = audit_event_hash(e) where orgcode = $org and seq = 4`,
        '5',
      ],
      [
        'changes the last event and mends its hash',
        `update audit_event set actor = 'x' where orgcode = $org and seq = 7; update audit_event e set hash = audit_event_hash(e) where orgcode = $org and seq = 7`,
        '7',
      ],
      ['changes the hash of the head', `update audit_chain set hash = sha256('x') where orgcode = $org`, '7'],
      ['puts the head forward', 'update audit_chain set seq = 9 where orgcode = $org', '8'],
      [
        'puts the head back',
        'update audit_chain set (seq, hash) = (select seq, hash from audit_event where orgcode = $org and seq = 5) where orgcode = $org',
        '6',
      ],
      ['removes the head', 'delete from audit_chain where orgcode = $org', '1'],
    ])('%s', async (_what, sql, brokenSeq) => {
      expect(await verify()).toMatchObject({ intact: true, checked: 7 });
      await tamper(sql);
      expect(await verify()).toMatchObject({ intact: false, brokenSeq, problem: expect.stringMatching(/./) });
    });
  });
});

/** A link that fits to the one before it. */
function forgery(seq: number): string {
  return `insert into audit_event (orgcode, seq, event_type, outcome, actor, context_source, request_id, previous_hash, hash)
      select orgcode, ${seq}, 'forged', 'done', 'a', 'system', 'r', hash, '' from audit_event where orgcode = $org and seq = ${seq - 1};
    update audit_event e set hash = audit_event_hash(e) where orgcode = $org and seq = ${seq}`;
}
