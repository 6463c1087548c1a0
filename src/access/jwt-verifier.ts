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
const CODE = /^[A-Za-z0-9_-]{1,64}$/;

/** Tokens of the issuer that the configuration names; algorithm, keys and claims are decided here and never by the token. */
export class JwtVerifier {
  private readonly key: KeyObject | JWTVerifyGetKey;

  constructor(private readonly configuration: JwtConfiguration) {
    this.key = keysOf(configuration.keys);
  }

  async verify(token: string): Promise<VouchedIdentity | undefined> {
    const payload = await this.verifiedPayload(token);
    return payload && this.identityOf(payload);
  }

  private async verifiedPayload(token: string): Promise<JWTPayload | undefined> {
    const { issuer, audience, algorithms } = this.configuration;
    const rules = { issuer, audience, algorithms, requiredClaims: ['exp'], clockTolerance: CLOCK_TOLERANCE_SECONDS };
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
  if (error instanceof TypeError) return true; // the token's algorithm does not fit the configured key
  return error instanceof errors.JOSEError;
}

function textsIn(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim.filter((item): item is string => typeof item === 'string') : [];
}
