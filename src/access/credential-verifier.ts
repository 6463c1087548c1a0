import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Principal } from '../platform/http/caller.js';
import type { Role } from '../platform/http/roles.js';
import { fingerprint } from '../platform/secrets/keyring.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyUsage } from './api-key-usage.js';
import type { Credential } from './credential.js';
import type { VerifiedCredential } from './credential-cache.js';
import { IdentityServices } from './identity-services.js';
import { OrganisationRepository } from './organisation.repository.js';
import { SessionRepository } from './session.repository.js';
import type { VouchedIdentity } from './vouched-identity.js';

/** A key or session revoked in another process is refused there after this long at the latest. */
const OWN_CREDENTIAL_TRUSTED_MS = 3_000;
/** How long the word of an identity service is believed before it is asked again. */
const VOUCHED_IDENTITY_TRUSTED_MS = 30_000;

/** Asks whoever knows a credential: our own tables, the identity service, or the issuer's keys. */
@Injectable()
export class CredentialVerifier {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyRepository,
    private readonly sessions: SessionRepository,
    private readonly organisations: OrganisationRepository,
    private readonly usage: ApiKeyUsage,
    private readonly identities: IdentityServices,
  ) {}

  async verify(credential: Credential, verifier: Buffer, traceparent: string): Promise<VerifiedCredential | undefined> {
    if (credential.kind === 'api_key') return this.verifyApiKey(verifier);
    const vouching = this.identities.forKind(credential.kind);
    if (!vouching) return credential.kind === 'session' ? this.verifyOwnSession(verifier) : undefined;
    const identity = await vouching(credential.secret, traceparent);
    return identity && this.knownHere(identity, fingerprint(credential.kind, credential.secret));
  }

  private async verifyApiKey(verifier: Buffer): Promise<VerifiedCredential | undefined> {
    const key = await this.database.acrossOrganisations('credential lookup', (tx) =>
      this.keys.findByVerifier(tx, verifier),
    );
    if (!key) return undefined;
    this.usage.note(key.orgcode, key.keyId);
    const principal = principalOf(`api_key:${key.keyId}`, 'api_key', key.fingerprint, [
      [key.orgcode, key.roles, key.limits],
    ]);
    return { principal, expiresAtMs: key.expiresAt?.getTime() ?? Infinity, trustedForMs: OWN_CREDENTIAL_TRUSTED_MS };
  }

  private async verifyOwnSession(verifier: Buffer): Promise<VerifiedCredential | undefined> {
    const session = await this.database.acrossOrganisations('credential lookup', (tx) =>
      this.sessions.findByVerifier(tx, verifier),
    );
    if (!session) return undefined;
    const principal = principalOf(session.actor, 'session', session.fingerprint, [
      [session.orgcode, session.roles, session.limits],
    ]);
    return { principal, expiresAtMs: session.expiresAt.getTime(), trustedForMs: OWN_CREDENTIAL_TRUSTED_MS };
  }

  /** An identity service may know organisations that we do not: those count as not found. */
  private async knownHere(
    { actor, rolesByOrg, expiresAtMs }: VouchedIdentity,
    print: string,
  ): Promise<VerifiedCredential> {
    const limits = await this.database.acrossOrganisations('organisation lookup', (tx) =>
      this.organisations.limitsOf(tx, [...rolesByOrg.keys()]),
    );
    const memberships = [...limits].map(([orgcode, limit]): Membership => [
      orgcode,
      rolesByOrg.get(orgcode) ?? [],
      limit,
    ]);
    return {
      principal: principalOf(actor, 'session', print, memberships),
      expiresAtMs,
      trustedForMs: VOUCHED_IDENTITY_TRUSTED_MS,
    };
  }
}

type Membership = [orgcode: string, roles: readonly Role[], limits: Record<string, number>];

function principalOf(
  actor: string,
  contextSource: Principal['contextSource'],
  print: string,
  memberships: readonly Membership[],
): Principal {
  return {
    actor,
    contextSource,
    fingerprint: print,
    rolesByOrg: new Map(memberships.map(([orgcode, roles]) => [orgcode, roles])),
    limitsByOrg: new Map(memberships.map(([orgcode, , limits]) => [orgcode, limits])),
  };
}
