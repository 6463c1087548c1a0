import { HeldLock } from '../support/held-lock.js';
import { TestApi, writeGrounds, type ApiAnswer } from '../support/api.js';

/** What of a call each fault spoils; faults of one part exclude each other unless `together` says how they meet. */
interface Fault {
  name: string;
  part: 'credential' | 'organisation' | 'role' | 'rate' | 'media type' | 'body';
  status: number;
  tag: string;
}

/** In the order in which ANSWERS.md says they are refused. */
const FAULTS: readonly Fault[] = [
  { name: 'credential', part: 'credential', status: 401, tag: 'credential_invalid' },
  { name: 'organisation missing', part: 'organisation', status: 400, tag: 'orgcode_required' },
  { name: 'organisation malformed', part: 'organisation', status: 400, tag: 'orgcode_invalid' },
  { name: 'organisation unknown', part: 'organisation', status: 404, tag: 'org_not_found' },
  { name: 'role', part: 'role', status: 403, tag: 'role_required' },
  { name: 'rate', part: 'rate', status: 429, tag: 'rate_limited' },
  { name: 'media type', part: 'media type', status: 415, tag: 'media_type_unsupported' },
  { name: 'too large', part: 'body', status: 413, tag: 'body_too_large' },
  { name: 'malformed', part: 'body', status: 400, tag: 'body_malformed' },
  { name: 'revision missing', part: 'body', status: 428, tag: 'revision_required' },
  { name: 'invalid', part: 'body', status: 400, tag: 'request_invalid' },
  { name: 'stale', part: 'body', status: 409, tag: 'revision_stale' },
];

const TOO_LARGE = 'x'.repeat(1024 * 1024 + 1);

describe('the order of refusal', () => {
  let api: TestApi;
  let free: { orgcode: string; owner: string; view: string };
  let usedUp: typeof free;

  beforeAll(async () => {
    api = await TestApi.start();
    free = await anOrgWithKeys();
    usedUp = await anOrgWithKeys();
    await api.database.asOwner(`update organisation set limits = '{"key": 1}' where orgcode = $1`, [usedUp.orgcode]);
    for (const expected of [200, 200, 429]) {
      const { status } = await api.call('/access/org/get', {}, { orgcode: usedUp.orgcode, key: usedUp.owner });
      expect(status).toBe(expected);
    }
  });
  afterAll(() => api.close());

  async function anOrgWithKeys(): Promise<typeof free> {
    const orgcode = await api.anOrg();
    return { orgcode, owner: await api.aKey(orgcode, 'owner'), view: await api.aKey(orgcode, 'integration_view') };
  }

  function send(faults: readonly Fault[]): Promise<ApiAnswer> {
    const has = (name: string): boolean => faults.some((fault) => fault.name === name);
    const org = has('rate') ? usedUp : free;
    const orgcodes: Record<string, string | undefined> = {
      'organisation missing': undefined,
      'organisation malformed': 'not a code',
      'organisation unknown': 'no-such-org',
    };
    const ofOrganisation = faults.find(({ part }) => part === 'organisation');
    return api.send(
      '/access/org/set',
      {
        orgcode: ofOrganisation ? orgcodes[ofOrganisation.name] : org.orgcode,
        key: has('credential') ? 'nobody' : has('role') ? org.view : org.owner,
        headers: { 'content-type': has('media type') ? 'text/plain' : 'application/json' },
      },
      bodyWith(has, org.orgcode),
    );
  }

  function bodyWith(has: (name: string) => boolean, orgcode: string): string {
    if (has('too large')) return has('malformed') ? TOO_LARGE : JSON.stringify({ padding: TOO_LARGE });
    if (has('malformed')) return '{"caption": ';
    const revision = has('revision missing') ? {} : { expected_revision: has('stale') ? '77' : '1' };
    return JSON.stringify({ ...writeGrounds(orgcode), ...revision, caption: has('invalid') ? 7 : 'fine' });
  }

  /** A body cannot be malformed and hold a field, nor lack a revision that is stale. */
  function canMeet(first: Fault, second: Fault): boolean {
    if (first.part !== second.part) return true;
    const pair = `${first.name} + ${second.name}`;
    return ['too large + malformed', 'revision missing + invalid', 'invalid + stale'].includes(pair);
  }

  it('refuses each fault alone with its own error', async () => {
    for (const fault of FAULTS) {
      const { status, body } = await send([fault]);
      expect({ fault: fault.name, status, tag: body.error?.error_code }).toEqual({
        fault: fault.name,
        status: fault.status,
        tag: fault.tag,
      });
    }
  });

  const pairs = FAULTS.flatMap((first, i) => FAULTS.slice(i + 1).map((second) => [first, second] as const)).filter(
    ([first, second]) => canMeet(first, second),
  );

  it('has a case for every two neighbours that can meet in one call', () => {
    expect(pairs.length).toBeGreaterThan(40);
    const met = new Set(pairs.flat().map(({ name }) => name));
    expect([...met].sort()).toEqual(FAULTS.map(({ name }) => name).sort());
  });

  it.each(pairs.map(([first, second]) => [first.name, second.name, first, second] as const))(
    'says "%s" before "%s"',
    async (_first, _second, first, second) => {
      const { status, body } = await send([first, second]);
      expect({ status, tag: body.error?.error_code }).toEqual({ status: first.status, tag: first.tag });
    },
  );

  it('says the first of all faults together, and the next when that one is mended', async () => {
    const remaining = FAULTS.filter(
      ({ name }) => !['organisation malformed', 'organisation unknown', 'stale'].includes(name),
    );
    for (let mended = 0; mended < remaining.length; mended += 1) {
      const { body } = await send(remaining.slice(mended));
      expect(body.error?.error_code).toBe(remaining[mended]?.tag);
    }
  });

  it('judges the fields before it looks for the object', async () => {
    const request = { ...writeGrounds(free.orgcode), key_id: 'no-such-key' };
    const options = { orgcode: free.orgcode, key: free.owner };
    const invalid = await api.call('/access/key/revoke', { ...request, reason: '' }, options);
    expect(invalid.body.error?.error_code).toBe('request_invalid');
    expect((await api.call('/access/key/revoke', request, options)).body.error?.error_code).toBe('api_key_not_found');
  });

  it('spends no call of the limit on who is refused for credential, organisation or role', async () => {
    const org = await anOrgWithKeys();
    await api.database.asOwner(`update organisation set limits = '{"key": 1}' where orgcode = $1`, [org.orgcode]);
    for (let i = 0; i < 5; i += 1) {
      await api.call('/access/org/get', {}, { orgcode: org.orgcode, key: org.view });
      await api.call('/access/org/get', {}, { orgcode: org.orgcode, key: 'nobody' });
    }
    expect((await api.call('/access/org/get', {}, { orgcode: org.orgcode, key: org.owner })).status).toBe(200);
  });

  it('audits at most two minutes of refusals at once, so that a weak key cannot fill the audit', async () => {
    const org = await anOrgWithKeys();
    for (let i = 0; i < 150; i += 1) {
      const { status } = await api.call('/access/org/get', {}, { orgcode: org.orgcode, key: org.view });
      expect(status).toBe(403);
    }
    const [audited] = await api.database.asOwner<{ count: number }>(
      `select count(*)::int as count from audit_event where orgcode = $1 and error_tag = 'role_required'`,
      [org.orgcode],
    );
    expect(audited?.count).toBeGreaterThanOrEqual(120);
    expect(audited?.count).toBeLessThan(135);
  });

  it('refuses all the same when the refusal cannot be audited', async () => {
    const org = await anOrgWithKeys();
    const chain = await HeldLock.take(api.database, 'select 1 from audit_chain where orgcode = $1 for update', [
      org.orgcode,
    ]);
    const { status, body } = await api.call('/access/org/get', {}, { orgcode: org.orgcode, key: org.view });
    await chain.release();
    expect([status, body.error?.error_code]).toEqual([403, 'role_required']);
  });
});
