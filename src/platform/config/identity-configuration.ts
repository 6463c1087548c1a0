import { isRole, ROLES } from '../http/roles.js';
import type { EnvironmentReader } from './environment-reader.js';

/** Asymmetric only: a shared-secret algorithm would let a public key be used as the secret. */
const SAFE_JWT_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

const DEFAULT_JWT_ROLES =
  'ADMIN=integration_admin,INTEGRATION_SERVICE=integration_service,AUDITOR=auditor,' +
  'ANALYST=integration_view,PARTNER=integration_view,IC_MEMBER=integration_view';

export interface JwtConfiguration {
  issuer: string;
  audience: string;
  algorithms: string[];
  /** Where the public keys are: an address that serves a JWKS, or a file with a JWKS or PEM. */
  keys: { url: string } | { file: string };
  tenantClaim: string;
  actorClaim: string;
  rolesClaim: string;
  roleMap: Readonly<Record<string, string>>;
}

export interface IdentityConfiguration {
  introspectionUrl: string | undefined;
  jwt: JwtConfiguration | undefined;
}

export function readIdentityConfiguration(read: EnvironmentReader): IdentityConfiguration {
  return { introspectionUrl: read.url('SESSION_INTROSPECTION_URL', ['http:', 'https:']), jwt: readJwt(read) };
}

function readJwt(read: EnvironmentReader): JwtConfiguration | undefined {
  const url = read.url('JWT_JWKS_URL', ['http:', 'https:']);
  const file = read.text('JWT_KEY_FILE');
  if (url === undefined && file === undefined) return undefined;
  if (url !== undefined && file !== undefined) read.problem('JWT_JWKS_URL', 'and JWT_KEY_FILE exclude each other');
  const algorithms = read.list('JWT_ALGORITHMS');
  for (const algorithm of algorithms) {
    if (!SAFE_JWT_ALGORITHMS.includes(algorithm)) {
      read.problem('JWT_ALGORITHMS', `may not hold ${algorithm}; choose of ${SAFE_JWT_ALGORITHMS.join(', ')}`);
    }
  }
  return {
    issuer: read.required('JWT_ISSUER', 'the `iss` that tokens must have'),
    audience: read.required('JWT_AUDIENCE', 'the `aud` that tokens must have'),
    algorithms: algorithms.length > 0 ? algorithms : ['RS256', 'ES256'],
    keys: url !== undefined ? { url } : { file: file ?? '' },
    tenantClaim: read.text('JWT_TENANT_CLAIM', 'tenant_id'),
    actorClaim: read.text('JWT_ACTOR_CLAIM', 'user_id'),
    rolesClaim: read.text('JWT_ROLES_CLAIM', 'roles'),
    roleMap: parseRoleMap(read),
  };
}

function parseRoleMap(read: EnvironmentReader): Record<string, string> {
  const map: Record<string, string> = {};
  for (const pair of read.text('JWT_ROLE_MAP', DEFAULT_JWT_ROLES).split(',')) {
    const [theirs, ours] = pair.split('=').map((side) => side.trim());
    if (!theirs || !ours || !isRole(ours))
      read.problem('JWT_ROLE_MAP', `has ${pair}; write THEIRS=ours,THEIRS=ours with ours of ${ROLES.join(', ')}`);
    else map[theirs] = ours;
  }
  return map;
}
