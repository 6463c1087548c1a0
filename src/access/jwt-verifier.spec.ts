import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

/**
 * In a plain Node process, because jest's `fetch` throws errors of another realm, for which `instanceof TypeError` is false:
 * an issuer that cannot be reached once looked like a bad token outside of jest only.
 */
function verifyInNode(keysUrl: string): string {
  const verifier = pathToFileURL('dist/access/jwt-verifier.js').href;
  const script = `
    import { generateKeyPairSync, createSign } from 'node:crypto';
    import { JwtVerifier } from '${verifier}';
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: 'i', aud: 'a', sub: 'u', tenant_id: 'acme', roles: [], exp: Math.floor(Date.now() / 1000) + 60 };
    const unsigned = part({ alg: 'RS256', kid: 'k' }) + '.' + part(claims);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = unsigned + '.' + createSign('sha256').update(unsigned).sign(privateKey, 'base64url');
    const verifier = new JwtVerifier({ issuer: 'i', audience: 'a', algorithms: ['RS256'], keys: { url: '${keysUrl}' },
      tenantClaim: 'tenant_id', actorClaim: 'sub', rolesClaim: 'roles', roleMap: {} });
    console.log(await verifier.verify(token).then(() => 'judged', (error) => error.failure.tag));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return stdout.trim() || stderr;
}

describe('a token whose issuer cannot be asked', () => {
  it.each(['http://127.0.0.1:9/jwks', 'http://no-such-host.invalid/jwks'])(
    'is not judged but unavailable: %s',
    (url) => {
      expect(verifyInNode(url)).toBe('identity_unavailable');
    },
  );
});
