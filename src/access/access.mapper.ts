import type { Role } from '../platform/http/roles.js';
import type { ApiKeyShape, OrganisationShape, SessionShape } from './access.dto.js';
import type { ApiKeyStatus } from './api-key-lifecycle.js';
import type { ApiKeyRecord } from './api-key.repository.js';
import type { OrganisationRecord } from './organisation.repository.js';
import type { SessionStatus } from './session-lifecycle.js';
import type { SessionRecord } from './session.repository.js';

export function apiKeyToWire(key: ApiKeyRecord): ApiKeyShape {
  return {
    key_id: key.keyId,
    ...(key.caption === null ? {} : { caption: key.caption }),
    roles: key.roles as Role[],
    status: key.status as ApiKeyStatus,
    fingerprint: key.fingerprint,
    ...timeToWire('expires_at', key.expiresAt),
    ...timeToWire('last_used_at', key.lastUsedAt),
    ...timeToWire('revoked_at', key.revokedAt),
    created_by: key.createdBy,
    created_at: key.createdAt.toISOString(),
    updated_at: key.updatedAt.toISOString(),
    revision: String(key.revision),
  };
}

export function sessionToWire(session: SessionRecord): SessionShape {
  return {
    session_id: session.sessionId,
    actor: session.actor,
    roles: session.roles as Role[],
    status: session.status as SessionStatus,
    fingerprint: session.fingerprint,
    expires_at: session.expiresAt.toISOString(),
    ...timeToWire('closed_at', session.closedAt),
    created_at: session.createdAt.toISOString(),
  };
}

export function organisationToWire(org: OrganisationRecord): OrganisationShape {
  return {
    orgcode: org.orgcode,
    org_id: org.orgId,
    ...(org.caption === null ? {} : { caption: org.caption }),
    time_zone: org.timeZone,
    week_start: org.weekStart as OrganisationShape['week_start'],
    catalog_policy: org.catalogPolicy as OrganisationShape['catalog_policy'],
    limits: org.limits as Record<string, number>,
    created_at: org.createdAt.toISOString(),
    updated_at: org.updatedAt.toISOString(),
    revision: String(org.revision),
  };
}

function timeToWire<Name extends string>(name: Name, time: Date | null): Partial<Record<Name, string>> {
  return time === null ? {} : ({ [name]: time.toISOString() } as Partial<Record<Name, string>>);
}
