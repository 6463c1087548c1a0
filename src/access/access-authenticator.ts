import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { Configuration } from '../platform/config/configuration.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { Authenticator } from '../platform/http/authentication.hook.js';
import type { Principal } from '../platform/http/caller.js';
import type { Trace } from '../platform/http/request-identity.js';
import { RateLimiter } from '../platform/rate-limit/rate-limiter.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { credentialIn, type Credential } from './credential.js';
import { CredentialCache } from './credential-cache.js';
import { CredentialVerifier } from './credential-verifier.js';

const MAX_BARRED_ADDRESSES = 10_000;

/**
 * Who calls. Whatever is wrong with a credential, the answer is one and the same, after the same look-up. Addresses that fail
 * too often are told to wait before anything is looked up for them; credentials that were good lately still pass.
 */
@Injectable()
export class AccessAuthenticator extends Authenticator {
  private readonly barredAddresses = new LRUCache<string, number>({ max: MAX_BARRED_ADDRESSES });

  constructor(
    private readonly verifier: CredentialVerifier,
    private readonly cache: CredentialCache,
    private readonly keyring: Keyring,
    private readonly limiter: RateLimiter,
    private readonly configuration: Configuration,
  ) {
    super();
  }

  async authenticate({ headers, ip, requestIdentity }: FastifyRequest): Promise<Principal> {
    const credential = credentialIn(headers);
    const principal = credential && (await this.principalOf(credential, ip, requestIdentity.trace));
    if (principal) return principal;
    await this.countFailure(ip);
    throw new AppError(platformErrors.credentialInvalid);
  }

  private async principalOf(credential: Credential, address: string, trace: Trace): Promise<Principal | undefined> {
    const digest = hash('sha256', `${credential.kind}|${credential.secret}`, 'base64');
    const known = this.cache.known(digest);
    if (known) return known;
    if (!this.cache.wasGoodLately(digest)) this.assertNotBarred(address);
    return this.cache.verify(digest, () => {
      const verifier = this.keyring.keyedHash(`${credential.kind}.verifier`, credential.secret);
      return this.verifier.verify(credential, verifier, trace.traceparent);
    });
  }

  private assertNotBarred(address: string): void {
    const untilMs = this.barredAddresses.get(address) ?? 0;
    const waitMs = untilMs - Date.now();
    if (waitMs > 0) throw new AppError(platformErrors.rateLimited, { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  }

  private async countFailure(address: string): Promise<void> {
    const bucket = { name: `address:${address}:failed_login`, perMinute: this.configuration.rateLimits.failedLogin };
    const { allowed, retryAfterSeconds } = await this.limiter.take(bucket);
    if (allowed) return;
    this.barredAddresses.set(address, Date.now() + retryAfterSeconds * 1000);
    throw new AppError(platformErrors.rateLimited, { retryAfterSeconds });
  }
}
