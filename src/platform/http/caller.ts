import type { Role } from './roles.js';

export const CONTEXT_SOURCES = ['session', 'api_key', 'operator', 'system'] as const;
export type ContextSource = (typeof CONTEXT_SOURCES)[number];

/** Somebody whose credential was verified, before an organisation was chosen. */
export interface Principal {
  actor: string;
  contextSource: ContextSource;
  fingerprint: string | undefined;
  /** The roles in each organisation that this credential belongs to. */
  rolesByOrg: ReadonlyMap<string, readonly Role[]>;
  /** Calls a minute where the organisation has limits of its own. */
  limitsByOrg: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

/** Who calls, for which organisation, in which request. Made once per request from what was verified, never from the body. */
export interface Caller {
  orgcode: string;
  cccode: string | undefined;
  actor: string;
  roles: readonly Role[];
  contextSource: ContextSource;
  fingerprint: string | undefined;
  /** The operation's path below /ipm: `webhook/status/set`. */
  call: string;
  requestId: string;
  traceId: string;
  /** Of the request's span, where its trace is kept. */
  traceparent?: string | undefined;
  /** The header `Idempotency-Key`; the body may carry one too. */
  idempotencyKey: string | undefined;
}

/** Who calls a room of operators. With an organisation: a member of that one. Without: an operator, who sees them all and acts in one as `{...operator, orgcode}`. */
export type OperatorCaller = Omit<Caller, 'orgcode'> & { orgcode: string | undefined };
