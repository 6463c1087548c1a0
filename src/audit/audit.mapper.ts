import type { ContextSource } from '../platform/http/caller.js';
import type { SourceRef } from '../platform/http/request.dto.js';
import type { AuditEventShape, AuditOutcome } from './audit.dto.js';
import type { AuditRow } from './audit.repository.js';

export function auditEventToWire(row: AuditRow): AuditEventShape {
  const optional = {
    error_tag: row.error_tag,
    claimed_actor: row.claimed_actor,
    fingerprint: row.fingerprint,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    before: row.before,
    after: row.after,
    reason: row.reason,
    source_refs: row.source_refs as SourceRef[] | null,
    trace_id: row.trace_id,
    idempotency_key: row.idempotency_key,
    cccode: row.cccode,
  };
  return {
    seq: String(row.seq),
    audit_id: row.audit_id,
    event_type: row.event_type,
    outcome: row.outcome as AuditOutcome,
    actor: row.actor,
    roles: row.roles,
    context_source: row.context_source as ContextSource,
    request_id: row.request_id,
    recorded_at: row.recorded_at.toISOString(),
    hash: row.hash.toString('hex'),
    ...present(optional),
  };
}

type WithoutNull<T> = { [Name in keyof T]?: Exclude<T[Name], null> };

function present<T extends object>(fields: T): WithoutNull<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as WithoutNull<T>;
}
