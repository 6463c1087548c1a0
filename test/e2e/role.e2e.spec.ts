import { ROLES, type RequiredRole, type Role } from '../../src/platform/http/roles.js';
import { TestApi, writeGrounds } from '../support/api.js';
import { operationsOf, type ServedOperation } from '../support/operations.js';

/** ANSWERS.md, roles: who may call what asks for each of these. */
const MAY_CALL: Readonly<Record<RequiredRole, readonly Role[]>> = {
  integration_view: ['integration_view', 'integration_service', 'integration_admin', 'owner', 'auditor'],
  integration_service: ['integration_service', 'integration_admin', 'owner'],
  integration_admin: ['integration_admin', 'owner'],
  owner: ['owner'],
  audit: ['integration_admin', 'owner', 'auditor'],
};

/** What each room's operations ask for: a role that is loosened by mistake shows here. */
const ASKED: readonly [RegExp, RequiredRole | 'anyone'][] = [
  [/^stat$/, 'anyone'],
  [/^access\//, 'owner'],
  [/^audit\/list$/, 'audit'],
  [/^event\/catalog\/register$/, 'integration_admin'],
  [/^event\/publish$/, 'integration_service'],
  [/^cdc\//, 'integration_view'],
  [/^bulk\/job\//, 'integration_view'],
  [/^bulk\/import\//, 'integration_service'],
  [/^bulk\/export\//, 'integration_admin'],
  [/^kpi\/(query|chart\.svg|alert\/(get|list)|rollup\/get|rule\/list)$/, 'integration_view'],
  [/^kpi\/rule\//, 'integration_admin'],
  [/^kpi\//, 'integration_service'],
  [/^webhook\/(get|list|filter\/test|delivery\/(list|get)|replay\/get)$/, 'integration_view'],
  [/^webhook\//, 'integration_admin'],
  [/^(event\/catalog|export\/contract|lifecycle)\/list$|^(specimen|pagination)\/get$|^schema\//, 'integration_view'],
];

describe('roles', () => {
  let api: TestApi;
  let orgcode: string;
  let operations: ServedOperation[];
  const keys = new Map<Role, string>();

  beforeAll(async () => {
    api = await TestApi.start();
    orgcode = await api.anOrg();
    for (const role of ROLES) keys.set(role, await api.aKey(orgcode, role));
    operations = operationsOf(api.app);
  });
  afterAll(() => api.close());

  function call({ path, method }: ServedOperation, key: string | undefined): ReturnType<TestApi['call']> {
    return method === 'GET' ? api.send(path, { method, orgcode, key }) : api.call(path, {}, { orgcode, key });
  }

  it('are asked for by every operation, as ANSWERS.md says', () => {
    expect(operations.length).toBeGreaterThan(14);
    const asked = operations.map(({ call, options }) => [call, options.role]);
    expect(asked).toEqual(operations.map(({ call }) => [call, ASKED.find(([calls]) => calls.test(call))?.[1]]));
  });

  it.each(ROLES)('let %s do what it may, and nothing else', async (role) => {
    for (const operation of operations.filter(({ options }) => options.role !== 'anyone')) {
      const { status, body } = await call(operation, keys.get(role));
      const may = MAY_CALL[operation.options.role as RequiredRole].includes(role);
      const refused = body.error?.error_code === 'role_required';
      expect({ call: operation.call, refused }).toEqual({ call: operation.call, refused: !may });
      if (!may)
        expect({ status, details: body.error?.details }).toEqual({
          status: 403,
          details: { required_role: operation.options.role },
        });
      else expect([200, 400, 404, 428]).toContain(status);
    }
  });

  it('are asked for nowhere without a credential, except where anyone may call', async () => {
    for (const operation of operations) {
      const { status } = await call(operation, undefined);
      expect({ call: operation.call, status }).toEqual({
        call: operation.call,
        status: operation.options.role === 'anyone' ? 200 : 401,
      });
    }
  });

  it('that are missing leave a refusal in the audit, with who asked for what in which request', async () => {
    const org = await api.anOrg();
    const key = await api.aKey(org, 'integration_view');
    const forbidden = operations.filter(({ options: { role } }) => role !== 'anyone' && role !== 'integration_view');
    for (const { path } of forbidden) {
      const headers = { 'x-request-id': `refused${path}`, 'x-cccode': 'cc-1' };
      expect((await api.call(path, writeGrounds(org), { orgcode: org, key, headers })).status).toBe(403);
    }
    const refusals = await api.database.asOwner<{ event_type: string; actor: string; request_id: string }>(
      `select event_type, outcome, error_tag, actor, roles, request_id, cccode, fingerprint from audit_event
       where orgcode = $1 and outcome = 'refused' order by seq`,
      [org],
    );
    expect(refusals).toEqual(
      forbidden.map(({ call, path }) => ({
        event_type: call,
        outcome: 'refused',
        error_tag: 'role_required',
        actor: expect.stringMatching(/^api_key:/),
        roles: ['integration_view'],
        request_id: `refused${path}`,
        cccode: 'cc-1',
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      })),
    );
  });

  it('add up when a credential has several', async () => {
    const key = await api.aKey(orgcode, 'integration_service', 'auditor');
    expect((await api.call('/audit/list', {}, { orgcode, key })).status).toBe(200);
    expect((await api.call('/event/catalog/register', {}, { orgcode, key })).status).toBe(403);
    const { body } = await api.call('/pagination/get', {}, { orgcode, key });
    expect(body.stats?.roles?.sort()).toEqual(['auditor', 'integration_service']);
  });

  it('come from the credential and never from the body', async () => {
    const key = keys.get('integration_view');
    const grounds = writeGrounds(orgcode);
    const context = { ...grounds.request_context, roles: ['owner'], context_source: 'operator' };
    const request = { ...grounds, request_context: context, roles: ['owner'] };
    expect((await api.call('/access/key/create', request, { orgcode, key })).status).toBe(403);
  });
});
