import fc from 'fast-check';
import { isRole, mayCall, mayGrant, ROLES, type RequiredRole } from './roles.js';

const REQUIRED: readonly RequiredRole[] = [
  'integration_view',
  'integration_service',
  'integration_admin',
  'owner',
  'audit',
];
const roles = fc.subarray([...ROLES]);

describe('roles', () => {
  it('let nobody without one call anything', () => {
    for (const required of REQUIRED) expect(mayCall([], required)).toBe(false);
  });

  it('let everybody with one read, and an owner do everything', () => {
    for (const role of ROLES) expect(mayCall([role], 'integration_view')).toBe(true);
    for (const required of REQUIRED) expect(mayCall(['owner'], required)).toBe(true);
  });

  it('never take away: more roles may do at least as much', () => {
    fc.assert(
      fc.property(roles, roles, fc.constantFrom(...REQUIRED), (some, more, required) => {
        if (mayCall(some, required)) expect(mayCall([...some, ...more], required)).toBe(true);
      }),
    );
  });

  it('are handed out only by who could do all of it anyway: no chain of grants leads to more', () => {
    fc.assert(
      fc.property(roles, fc.constantFrom(...ROLES), fc.constantFrom(...REQUIRED), (held, wanted, required) => {
        if (mayGrant(held, wanted) && mayCall([wanted], required)) expect(mayCall(held, required)).toBe(true);
      }),
    );
  });

  it('of an administrator do not make an owner, nor those of a service an auditor', () => {
    expect(mayGrant(['integration_admin'], 'owner')).toBe(false);
    expect(mayGrant(['integration_service'], 'auditor')).toBe(false);
    expect(mayGrant(['integration_admin'], 'auditor')).toBe(true);
    expect(mayGrant(['auditor'], 'integration_service')).toBe(false);
  });

  it('are only those of the list', () => {
    for (const text of ['', 'OWNER', 'audit', 'constructor', 'owner ']) expect(isRole(text)).toBe(false);
    for (const role of ROLES) expect(isRole(role)).toBe(true);
  });
});
