import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../platform/http/caller.js';

const MAX_CREDENTIALS = 10_000;

export interface VerifiedCredential {
  principal: Principal;
  /** Not trusted beyond its own end, however fresh. */
  expiresAtMs: number;
  /** After that it is looked up again. */
  trustedForMs: number;
}

interface Lookup {
  find: () => Promise<VerifiedCredential | undefined>;
}

/**
 * Credentials that were verified a moment ago. Calls that miss at once share one look-up; what is unknown is never kept.
 * Keyed by a digest, so that no credential stays in memory as text; the verifier's keyed hash costs more and is for look-ups.
 */
@Injectable()
export class CredentialCache {
  private readonly verified = new LRUCache<string, VerifiedCredential, Lookup>({
    max: MAX_CREDENTIALS,
    ttl: 1, // each entry says its own
    fetchMethod: async (digest, _stale, { context, options }) => {
      const found = await this.findUnlessForgotten(context);
      if (found) {
        options.ttl = found.trustedForMs;
        this.lately.set(digest, true);
      }
      return found;
    },
  });

  /** Those that were good within the hour: a barred address may have them looked up again. */
  private readonly lately = new LRUCache<string, true>({ max: MAX_CREDENTIALS, ttl: 3_600_000 });
  private forgotten = 0;

  /** Known without asking anybody, or undefined. */
  known(digest: string): Principal | undefined {
    return livePrincipal(this.verified.get(digest));
  }

  async verify(digest: string, find: Lookup['find']): Promise<Principal | undefined> {
    return livePrincipal(await this.verified.fetch(digest, { context: { find } }));
  }

  wasGoodLately(digest: string): boolean {
    return this.lately.has(digest);
  }

  /** At once in this process. */
  forget(fingerprint: string): void {
    this.forgotten += 1;
    for (const [digest, { principal }] of this.verified.entries()) {
      if (principal.fingerprint === fingerprint) this.verified.delete(digest);
    }
  }

  /** A look-up that a revocation overtook may have seen the credential as it was: it is done again. */
  private async findUnlessForgotten({ find }: Lookup): Promise<VerifiedCredential | undefined> {
    for (;;) {
      const before = this.forgotten;
      const found = await find();
      if (before === this.forgotten) return found;
    }
  }
}

function livePrincipal(credential: VerifiedCredential | undefined): Principal | undefined {
  return credential && credential.expiresAtMs > Date.now() ? credential.principal : undefined;
}
