import { createHmac, createPublicKey } from 'node:crypto';
import { encoded, IdentityProvider, tampered } from '../support/identity-provider.js';
import { TestApi, type ApiAnswer } from '../support/api.js';

describe('bearer tokens', () => {
  let provider: IdentityProvider;
  let api: TestApi;
  let orgcode: string;

  beforeAll(async () => {
    provider = await IdentityProvider.start();
    api = await TestApi.start(provider.environment);
    orgcode = await api.anOrg();
  });
  afterAll(async () => {
    await api.close();
    await provider.stop();
  });

  function claims(roles: unknown = ['ANALYST'], tenant: unknown = orgcode): Record<string, unknown> {
    return { tenant_id: tenant, user_id: 'u-1', roles };
  }

  function ask(token: string, path = '/pagination/get', org = orgcode): Promise<ApiAnswer> {
    return api.call(path, {}, { orgcode: org, headers: { authorization: `Bearer ${token}` } });
  }

  it.each(['k1', 'k2'])('of the issuer are accepted, with their actor and session context (%s)', async (kid) => {
    const { status, body } = await ask(await provider.token(claims(), { kid }));
    expect(status).toBe(200);
    expect(body.stats).toMatchObject({ actor: 'u-1', context_source: 'session', roles: ['integration_view'], orgcode });
    expect(body.stats?.session_fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(body.stats).not.toHaveProperty('api_key_fingerprint');
  });

  it('may name several audiences, and say bearer in any case', async () => {
    const token = await provider.token(claims(), { audience: ['other', 'ipm'] });
    const headers = { authorization: `bearer ${token}` };
    expect((await api.call('/pagination/get', {}, { orgcode, headers })).status).toBe(200);
  });

  it('have their subject as actor where they name no user', async () => {
    const { body } = await ask(await provider.token({ tenant_id: orgcode, sub: 'svc-9', roles: ['ADMIN'] }));
    expect(body.stats?.actor).toBe('svc-9');
  });

  describe('are refused like any bad credential', () => {
    it.each([
      ['of another audience', { audience: 'billing' }],
      ['of another issuer', { issuer: 'https://evil.example' }],
      ['expired', { expiresIn: -60 }],
      ['expired a moment ago, within the tolerance for clocks', { expiresIn: -2 }],
      ['without an end', { expiresIn: undefined }],
      ['not valid yet', { notBeforeIn: 120 }],
    ])('%s', async (_name, options) => {
      expect(await ask(await provider.token(claims(), options))).toMatchObject({
        status: 401,
        body: { error: { error_code: 'credential_invalid' } },
      });
    });

    it.each([
      ['with another payload', { payload: { roles: ['ADMIN'] } }],
      ['with another tenant', { payload: { tenant_id: 'other' } }],
      ['with another algorithm in its header', { header: { alg: 'PS256' } }],
      ['with an elliptic algorithm in its header', { header: { alg: 'ES256' } }],
      ['with a critical header that nobody knows', { header: { crit: ['exp2'], exp2: 1 } }],
      ['with another signature', { signature: Buffer.alloc(256, 1).toString('base64url') }],
      ['without a signature', { signature: '' }],
      ['that bring their own key', { header: { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' }, kid: undefined } }],
      ['that name where the key is', { header: { jku: 'http://127.0.0.1:1/jwks', alg: 'RS256', kid: 'evil' } }],
    ])('%s', async (_name, change) => {
      const good = await provider.token(claims());
      expect((await ask(good)).status).toBe(200);
      expect((await ask(tampered(good, change))).status).toBe(401);
    });

    it('unsigned', async () => {
      const payload = encoded({
        ...claims(['ADMIN']),
        iss: 'https://identity.example',
        aud: 'ipm',
        exp: Math.floor(Date.now() / 1000) + 300,
      });
      for (const alg of ['none', 'None', 'NONE', ''])
        expect((await ask(`${encoded({ alg })}.${payload}.`)).status).toBe(401);
    });

    it('signed with the public key as a shared secret', async () => {
      const pem = await provider.publicPem('k1');
      const payload = encoded({
        ...claims(['ADMIN']),
        iss: 'https://identity.example',
        aud: 'ipm',
        exp: Math.floor(Date.now() / 1000) + 300,
      });
      const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
      for (const secret of [pem, pem.trim(), der]) {
        const unsigned = `${encoded({ alg: 'HS256', kid: 'k1' })}.${payload}`;
        expect(
          (await ask(`${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`)).status,
        ).toBe(401);
      }
    });

    it('signed by somebody else under a key id of the issuer', async () => {
      const impostor = await IdentityProvider.start();
      for (const kid of ['k1', 'k2'])
        expect((await ask(await impostor.token(claims(['ADMIN']), { kid }))).status).toBe(401);
      await impostor.stop();
    });

    it.each([
      ['no tenant', undefined, 'u'],
      ['a tenant that is no text', 7, 'u'],
      ['a tenant that is a list', ['a', 'b'], 'u'],
      ['a tenant that is no code', 'a b', 'u'],
      ['an actor that is no text', 'org', { name: 'x' }],
      ['an empty actor', 'org', ''],
      ['an actor with a line break', 'org', 'a\nb'],
      ['an actor with NUL', 'org', 'a\0b'],
    ])('with %s', async (_name, tenant, user) => {
      const token = await provider.token({
        tenant_id: tenant === 'org' ? orgcode : tenant,
        user_id: user,
        roles: ['ADMIN'],
      });
      expect((await ask(token)).status).toBe(401);
    });
  });

  describe('act in their tenant only', () => {
    it('another organisation that exists is not found', async () => {
      const other = await api.anOrg();
      expect((await ask(await provider.token(claims(['ADMIN'])), '/pagination/get', other)).status).toBe(404);
    });

    it('a tenant that is no organisation here is not found', async () => {
      const token = await provider.token(claims(['ADMIN'], 'unknown-tenant'));
      for (const org of ['unknown-tenant', orgcode]) {
        expect(await ask(token, '/pagination/get', org)).toMatchObject({
          status: 404,
          body: { error: { error_code: 'org_not_found' } },
        });
      }
    });

    it('and that tenant is found once it is made, without another token', async () => {
      const token = await provider.token(claims(['ADMIN'], 'made-later'));
      await api.anOrg('made-later');
      expect((await ask(token, '/pagination/get', 'made-later')).status).toBe(200);
    });
  });

  describe('have the roles that document 003 names', () => {
    it.each([
      [['ADMIN'], ['integration_admin']],
      [['INTEGRATION_SERVICE'], ['integration_service']],
      [['AUDITOR'], ['auditor']],
      [['ANALYST'], ['integration_view']],
      [['PARTNER'], ['integration_view']],
      [['IC_MEMBER'], ['integration_view']],
      [
        ['ADMIN', 'AUDITOR', 'ADMIN'],
        ['integration_admin', 'auditor'],
      ],
      ['ADMIN AUDITOR', ['integration_admin', 'auditor']],
    ])('%j is %j', async (theirs, ours) => {
      const { status, body } = await ask(await provider.token(claims(theirs)));
      expect({ status, roles: body.stats?.roles }).toEqual({ status: 200, roles: ours });
    });

    it.each([
      [[]],
      [['owner']],
      [['integration_admin']],
      [['admin']],
      [['constructor', '__proto__', 'toString']],
      [{ ADMIN: true }],
      [7],
      [undefined],
    ])('%j is no role at all', async (theirs) => {
      expect((await ask(await provider.token(claims(theirs === undefined ? null : theirs)))).status).toBe(403);
    });

    it('an auditor sees the audit and changes nothing; an administrator makes no keys', async () => {
      const auditor = await provider.token(claims(['AUDITOR']));
      expect((await ask(auditor, '/audit/list')).status).toBe(200);
      expect((await ask(auditor, '/event/catalog/register')).status).toBe(403);
      const admin = await provider.token(claims(['ADMIN']));
      expect((await ask(admin, '/event/catalog/register')).status).toBe(400);
      expect((await ask(admin, '/access/key/create')).status).toBe(403);
    });
  });
});
