/** What a credential may hold. */
export const ROLES = ['integration_view', 'integration_service', 'integration_admin', 'owner', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** What an operation may ask for. */
export type RequiredRole = Exclude<Role, 'auditor'> | 'audit';

const GRANTS: Readonly<Record<Role, readonly RequiredRole[]>> = {
  integration_view: ['integration_view'],
  integration_service: ['integration_view', 'integration_service'],
  integration_admin: ['integration_view', 'integration_service', 'integration_admin', 'audit'],
  owner: ['integration_view', 'integration_service', 'integration_admin', 'audit', 'owner'],
  auditor: ['integration_view', 'audit'],
};

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

export function mayCall(roles: readonly Role[], required: RequiredRole): boolean {
  return roles.some((role) => GRANTS[role].includes(required));
}

/** Nobody hands out more than they hold: a key or session may only get roles whose grants its maker has. */
export function mayGrant(roles: readonly Role[], wanted: Role): boolean {
  return GRANTS[wanted].every((required) => mayCall(roles, required));
}
