import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { JwtConfiguration } from '../platform/config/identity-configuration.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { isRole, type Role } from '../platform/http/roles.js';
import { isActor, type VouchedIdentity } from './vouched-identity.js';

const CLOCK_TOLERANCE_SECONDS = 30;
const JWKS_TIMEOUT_MS = 2_000;
/** Unknown key ids make us ask again at most this often, so that random ones cause no storm. */
const JWKS_COOLDOWN_MS = 30_000;
const ALGORITHMS_OF_KEYS: Readonly<Record<string, RegExp>> = {
  rsa: /^[RP]S\d+$/,
  'rsa-pss': /^PS\d+$/,
  'ec prime256v1': /^ES256$/,
  'ec secp384r1': /^ES384$/,
  'ec secp521r1': /^ES512$/,
  ed25519: /^(EdDSA|Ed25519)$/,
};
const CODE = /^[A-Za-z0-9_-]{1,64}$/;

/** Tokens of the issuer that the configuration names; algorithm, keys and claims are decided here and never by the token. */
export class JwtVerifier {
  private readonly key: KeyObject | JWTVerifyGetKey;
  private readonly algorithms: string[];

  constructor(private readonly configuration: JwtConfiguration) {
    this.key = keysOf(configuration.keys);
    this.algorithms = algorithmsFor(this.key, configuration.algorithms);
  }

  async verify(token: string): Promise<VouchedIdentity | undefined> {
    const payload = await this.verifiedPayload(token);
    return payload && this.identityOf(payload);
  }

  private async verifiedPayload(token: string): Promise<JWTPayload | undefined> {
    const { issuer, audience } = this.configuration;
    const rules = {
      issuer,
      audience,
      algorithms: this.algorithms,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    };
    try {
      const { payload } = await jwtVerify(token, this.key as JWTVerifyGetKey, rules);
      return payload;
    } catch (error) {
      if (isAboutTheToken(error)) return undefined;
      throw error;
    }
  }

  private identityOf(payload: JWTPayload): VouchedIdentity | undefined {
    const { tenantClaim, actorClaim, rolesClaim, roleMap } = this.configuration;
    const tenant = payload[tenantClaim];
    const actor = payload[actorClaim] ?? payload.sub;
    if (typeof tenant !== 'string' || !CODE.test(tenant) || !isActor(actor)) return undefined;
    const roles = textsIn(payload[rolesClaim]).map((theirs) => roleMap[theirs]);
    const ours = roles.filter((role): role is Role => role !== undefined && isRole(role));
    return { actor, rolesByOrg: new Map([[tenant, [...new Set(ours)]]]), expiresAtMs: (payload.exp ?? 0) * 1000 };
  }
}

function keysOf(keys: JwtConfiguration['keys']): KeyObject | JWTVerifyGetKey {
  if ('url' in keys) return keysServedAt(new URL(keys.url));
  const text = readFileSync(keys.file, 'utf8');
  return text.includes('-----BEGIN') ? createPublicKey(text) : createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}

/** What a single key can verify: asked for anything else, Node 20 and 24 fail in different ways that say nothing of the token. */
function algorithmsFor(key: KeyObject | JWTVerifyGetKey, configured: readonly string[]): string[] {
  if (typeof key === 'function') return [...configured];
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  const kind = asymmetricKeyType === 'ec' ? `ec ${asymmetricKeyDetails?.namedCurve}` : `${asymmetricKeyType}`;
  const fitting = configured.filter((algorithm) => ALGORITHMS_OF_KEYS[kind]?.test(algorithm));
  if (fitting.length === 0) throw new Error(`JWT_KEY_FILE has a key (${kind}) that none of JWT_ALGORITHMS is for`);
  return fitting;
}

/** An issuer that does not answer, or answers nonsense, says nothing about the token: that is no 401. */
function keysServedAt(url: URL): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, { timeoutDuration: JWKS_TIMEOUT_MS, cooldownDuration: JWKS_COOLDOWN_MS });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      const isVerdict = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
      throw isVerdict || error instanceof errors.JOSENotSupported
        ? error
        : new AppError(platformErrors.identityUnavailable, { cause: error });
    }
  };
}

function isAboutTheToken(error: unknown): boolean {
  return error instanceof errors.JOSEError;
}

function textsIn(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim.filter((item): item is string => typeof item === 'string') : [];
}
