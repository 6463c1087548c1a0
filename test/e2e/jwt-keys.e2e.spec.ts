import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AUDIENCE, IdentityProvider, ISSUER } from '../support/identity-provider.js';
import { TestApi, type ApiAnswer } from '../support/api.js';
import type { TestDatabase } from '../support/database.js';

describe('the keys that bearer tokens are verified with', () => {
  let provider: IdentityProvider;
  let first: TestApi;
  let database: TestDatabase;
  let orgcode: string;
  const started: TestApi[] = [];

  beforeAll(async () => {
    first = await TestApi.start();
    ({ database } = first);
    orgcode = await first.anOrg();
  });
  beforeEach(async () => (provider = await IdentityProvider.start()));
  afterEach(async () => {
    for (const api of started.splice(0)) await api.app.close();
    await provider.stop();
  });
  afterAll(() => first.close());

  async function apiWith(environment: Record<string, string | undefined>): Promise<TestApi> {
    const api = await TestApi.startOn(database, environment);
    started.push(api);
    return api;
  }

  function ask(api: TestApi, token: string, path = '/pagination/get'): Promise<ApiAnswer> {
    return api.call(path, {}, { orgcode, headers: { authorization: `Bearer ${token}` } });
  }

  function good(options: Parameters<IdentityProvider['token']>[1] = {}, roles: unknown = ['ADMIN']): Promise<string> {
    return provider.token({ tenant_id: orgcode, user_id: 'u-1', roles }, options);
  }

  function aFile(name: string, text: string): string {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'ipm-keys-')), name);
    writeFileSync(file, text);
    return file;
  }

  const fileEnvironment = (file: string): Record<string, string> => ({
    JWT_KEY_FILE: file,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
  });

  describe('from an address', () => {
    it('are fetched once for many tokens, also when these come at once', async () => {
      const api = await apiWith(provider.environment);
      const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => good({ expiresIn: 300 + i })));
      const answers = await Promise.all(tokens.map((token) => ask(api, token)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(provider.jwksRequests).toBe(1);
    });

    it('are not fetched again for every unknown key id: no storm', async () => {
      const api = await apiWith(provider.environment);
      expect((await ask(api, await good())).status).toBe(200);
      const tokens = await Promise.all(Array.from({ length: 30 }, (_, i) => good({ kid: `unknown-${i}` })));
      for (const token of tokens) expect((await ask(api, token)).status).toBe(401);
      expect(provider.jwksRequests).toBeLessThanOrEqual(2);
    });

    it('that do not answer are 503 for a token that nobody has judged, and never a way in', async () => {
      const environment = provider.environment;
      const token = await good();
      await provider.stop();
      const api = await apiWith(environment);
      const answer = await ask(api, token);
      expect(answer).toMatchObject({
        status: 503,
        body: { error: { error_code: 'identity_unavailable', retryable: true } },
      });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    });

    it.each([
      ['an error', { status: 500, body: '{}' }],
      ['a redirect', { status: 302, body: '' }],
      ['no JSON', { status: 200, body: '<html>' }],
      ['no key set', { status: 200, body: '{"keys": "none"}' }],
      ['a list', { status: 200, body: '[]' }],
    ])('that answer %s are 503, and good again when they answer keys', async (_name, answer) => {
      const api = await apiWith(provider.environment);
      const token = await good();
      provider.jwksAnswer = answer;
      expect((await ask(api, token)).status).toBe(503);
      provider.jwksAnswer = undefined;
      expect((await ask(api, token)).status).toBe(200);
    });

    it('that are away do not disturb who is known, nor other kinds of credentials', async () => {
      const api = await apiWith(provider.environment);
      const token = await good();
      expect((await ask(api, token)).status).toBe(200);
      await provider.stop();
      expect((await ask(api, token)).status).toBe(200);
      const key = await api.aKey(orgcode, 'integration_view');
      expect((await api.call('/pagination/get', {}, { orgcode, key })).status).toBe(200);
    });

    it('say nothing about a token that is malformed: that is 401 without asking anybody', async () => {
      const environment = provider.environment;
      await provider.stop();
      const api = await apiWith(environment);
      for (const token of ['abc', 'a.b.c', '..', 'e30.e30.']) expect((await ask(api, token)).status).toBe(401);
    });
  });

  describe('from a file', () => {
    it('may be a JWKS with several keys', async () => {
      const api = await apiWith(fileEnvironment(aFile('keys.json', await provider.jwks())));
      for (const kid of ['k1', 'k2']) expect((await ask(api, await good({ kid }))).status).toBe(200);
      expect((await ask(api, await good({ kid: 'k3' }))).status).toBe(401);
      expect(provider.jwksRequests).toBe(0);
    });

    it('may be one public key as PEM, whose algorithm alone is then accepted', async () => {
      const api = await apiWith(fileEnvironment(aFile('key.pem', await provider.publicPem('k1'))));
      expect((await ask(api, await good({ kid: 'k1' }))).status).toBe(200);
      expect((await ask(api, await good({ kid: 'k2' }))).status).toBe(401);
    });

    it('is refused at the start where no accepted algorithm is for it', async () => {
      const pem = aFile('key.pem', await provider.publicPem('k1'));
      await expect(apiWith({ ...fileEnvironment(pem), JWT_ALGORITHMS: 'ES256' })).rejects.toThrow(
        /none of JWT_ALGORITHMS/,
      );
    });

    it('may be an elliptic key as PEM', async () => {
      const api = await apiWith(fileEnvironment(aFile('key.pem', await provider.publicPem('k2'))));
      expect((await ask(api, await good({ kid: 'k2' }))).status).toBe(200);
      expect((await ask(api, await good({ kid: 'k1' }))).status).toBe(401);
    });
  });

  it('are used with the algorithms of the configuration only', async () => {
    const api = await apiWith({ ...provider.environment, JWT_ALGORITHMS: 'ES256' });
    expect((await ask(api, await good({ kid: 'k2' }))).status).toBe(200);
    expect((await ask(api, await good({ kid: 'k1' }))).status).toBe(401);
  });

  it('go with claims and roles that the configuration may name differently', async () => {
    const api = await apiWith({
      ...provider.environment,
      JWT_TENANT_CLAIM: 'org',
      JWT_ACTOR_CLAIM: 'email',
      JWT_ROLES_CLAIM: 'groups',
      JWT_ROLE_MAP: 'boss=owner,staff=integration_view',
    });
    const token = await provider.token({
      org: orgcode,
      email: 'a@b.example',
      groups: ['boss', 'ADMIN'],
      tenant_id: 'other',
      roles: ['ADMIN'],
    });
    const { status, body } = await ask(api, token, '/access/org/get');
    expect(status).toBe(200);
    expect(body.stats).toMatchObject({ actor: 'a@b.example', roles: ['owner'] });
  });

  it('are needed: without a configured issuer every token is refused', async () => {
    expect((await ask(await apiWith({}), await good())).status).toBe(401);
  });
});
