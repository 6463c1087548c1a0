import type { Role } from '../platform/http/roles.js';

/** Somebody an identity service vouches for. */
export interface VouchedIdentity {
  actor: string;
  rolesByOrg: ReadonlyMap<string, readonly Role[]>;
  expiresAtMs: number;
}
