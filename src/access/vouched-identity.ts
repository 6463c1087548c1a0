import type { Role } from '../platform/http/roles.js';

/** Somebody an identity service vouches for. */
export interface VouchedIdentity {
  actor: string;
  rolesByOrg: ReadonlyMap<string, readonly Role[]>;
  expiresAtMs: number;
}

/** Goes into audit events and logs: no control characters, no halves of surrogate pairs. */
const ACTOR = /^[^\p{C}]{1,256}$/u;

export function isActor(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && ACTOR.test(value);
}
