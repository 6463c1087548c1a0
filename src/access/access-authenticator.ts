import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { Authenticator } from '../platform/http/authentication.hook.js';
import type { Principal } from '../platform/http/caller.js';
import type { Trace } from '../platform/http/request-identity.js';
import { FailedLogins } from '../platform/rate-limit/failed-logins.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { credentialIn, type Credential } from './credential.js';
import { CredentialCache } from './credential-cache.js';
import { CredentialVerifier } from './credential-verifier.js';

/**
 * Who calls. Whatever is wrong with a credential, the answer is one and the same, after the same look-up. Addresses that fail
 * too often are told to wait before anything is looked up for them; credentials that were good lately still pass.
 */
@Injectable()
export class AccessAuthenticator extends Authenticator {
  constructor(
    private readonly verifier: CredentialVerifier,
    private readonly cache: CredentialCache,
    private readonly keyring: Keyring,
    private readonly failedLogins: FailedLogins,
  ) {
    super();
  }

  async authenticate({ headers, ip, requestIdentity }: FastifyRequest): Promise<Principal> {
    const credential = credentialIn(headers);
    const principal = credential && (await this.principalOf(credential, ip, requestIdentity.trace));
    if (principal) return principal;
    await this.failedLogins.count(ip);
    throw new AppError(platformErrors.credentialInvalid);
  }

  private async principalOf(credential: Credential, address: string, trace: Trace): Promise<Principal | undefined> {
    const digest = hash('sha256', `${credential.kind}|${credential.secret}`, 'base64');
    const known = this.cache.known(digest);
    if (known) return known;
    if (!this.cache.wasGoodLately(digest)) this.failedLogins.assertMayTry(address);
    return this.cache.verify(digest, () => {
      const verifier = this.keyring.keyedHash(`${credential.kind}.verifier`, credential.secret);
      return this.verifier.verify(credential, verifier, trace.traceparent);
    });
  }
}
