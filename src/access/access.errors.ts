import { defineErrors } from '../platform/errors/error-catalog.js';

export const accessErrors = defineErrors({
  keyNotFound: {
    tag: 'api_key_not_found',
    major: 'not_found',
    status: 404,
    message: 'This organisation has no API key with that key_id; access/key/list shows them.',
  },
  sessionNotFound: {
    tag: 'session_not_found',
    major: 'not_found',
    status: 404,
    message: 'This organisation has no open session with that session_id.',
  },
  roleNotGrantable: {
    tag: 'role_not_grantable',
    major: 'authorization',
    status: 403,
    message: 'Nobody can hand out a role that they do not hold; details.roles names those.',
  },
  lastOwnerKey: {
    tag: 'last_owner_key',
    major: 'conflict',
    status: 409,
    message:
      'This is the last owner key that never expires; make another one first, or nobody could make keys any more.',
  },
  expiryInPast: {
    tag: 'expiry_in_past',
    major: 'validation',
    status: 400,
    message: 'expires_at must lie in the future.',
  },
  timeZoneUnknown: {
    tag: 'time_zone_unknown',
    major: 'validation',
    status: 400,
    message: 'time_zone must be a name of the IANA time zone database, such as Europe/Berlin.',
  },
  sessionsElsewhere: {
    tag: 'sessions_elsewhere',
    major: 'conflict',
    status: 409,
    message: 'Sessions come from the identity service of SESSION_INTROSPECTION_URL; open and close them there.',
  },
});
