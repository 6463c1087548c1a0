import type { Caller } from './caller.js';
import { fingerprintField } from './stats.js';

interface ClaimedContext {
  logical_guid?: string | null | undefined;
  channel_code?: string | null | undefined;
  cccode?: string | null | undefined;
}

/** What is kept of a request's context: who asked, as verified, and where it belongs, as claimed. */
export function verifiedContext(caller: Caller, claimed: ClaimedContext = {}): object {
  const { orgcode, actor, roles, contextSource, fingerprint, cccode } = caller;
  return {
    orgcode,
    logical_guid: claimed.logical_guid ?? undefined,
    channel_code: claimed.channel_code ?? undefined,
    cccode: cccode ?? claimed.cccode ?? undefined,
    actor,
    roles,
    context_source: contextSource,
    ...fingerprintField(contextSource, fingerprint),
  };
}
