import { ROLES, type Role } from '../platform/http/roles.js';
import {
  Code,
  Id,
  Integer,
  NextToken,
  OneOf,
  OpenObject,
  Part,
  Parts,
  Revision,
  SomeOf,
  Text,
  TextOfForm,
  UtcTime,
  Uuid,
} from '../platform/http/fields.js';
import { PageRequest, WriteRequest } from '../platform/http/request.dto.js';
import type { ApiKeyStatus } from './api-key-lifecycle.js';
import type { SessionStatus } from './session-lifecycle.js';

export const WEEK_STARTS = ['monday', 'saturday', 'sunday'] as const;
export const CATALOG_POLICIES = ['accept', 'reject'] as const;
/** No control characters, and not to be mistaken for a key or for the command line. */
const SESSION_ACTOR = /^(?!api_key:|cli:)[^\p{C}]{1,256}$/u;
export const MAX_SESSION_SECONDS = 7 * 24 * 3600;

export class ApiKeyShape {
  @Id() key_id!: string;
  @Text({ max: 256, optional: true }) caption?: string;
  @SomeOf(ROLES) roles!: Role[];
  @OneOf(['active', 'revoked']) status!: ApiKeyStatus;
  @Text({ max: 32, description: 'As in stats and audit events of calls with this key.' }) fingerprint!: string;
  @UtcTime({ optional: true }) expires_at?: string;
  @UtcTime({ optional: true, description: 'To the minute.' }) last_used_at?: string;
  @UtcTime({ optional: true }) revoked_at?: string;
  @Text({ max: 256 }) created_by!: string;
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
  @Revision() revision!: string;
}

export class ApiKeyCreateRequest extends WriteRequest {
  @SomeOf(ROLES) roles!: Role[];
  @Text({ max: 256, optional: true }) caption?: string;
  @UtcTime({ optional: true, description: 'Absent: it does not expire.' }) expires_at?: string;
}

export class ApiKeyCreated {
  @Part(() => ApiKeyShape) key!: ApiKeyShape;
  @Text({ max: 128, description: 'The key itself, shown this once.' }) api_key!: string;
}

export class ApiKeyListRequest extends PageRequest {
  @OneOf(['active', 'revoked'], { optional: true }) status?: ApiKeyStatus;
}

export class ApiKeyList {
  @Parts(() => ApiKeyShape) items!: ApiKeyShape[];
  @NextToken() next_token?: object;
}

export class ApiKeyRevokeRequest extends WriteRequest {
  @Id() key_id!: string;
}

export class ApiKeyData {
  @Part(() => ApiKeyShape) key!: ApiKeyShape;
}

export class SessionShape {
  @Uuid() session_id!: string;
  @Text({ max: 256 }) actor!: string;
  @SomeOf(ROLES) roles!: Role[];
  @OneOf(['open', 'closed']) status!: SessionStatus;
  @Text({ max: 32 }) fingerprint!: string;
  @UtcTime() expires_at!: string;
  @UtcTime({ optional: true }) closed_at?: string;
  @UtcTime() created_at!: string;
}

export class SessionOpenRequest extends WriteRequest {
  @TextOfForm(SESSION_ACTOR, 'not_an_actor', { description: 'The person or service that will act.' }) actor!: string;
  @SomeOf(ROLES) roles!: Role[];
  @Integer({ min: 60, max: MAX_SESSION_SECONDS, optional: true, description: 'Default 8 hours, at most 7 days.' })
  lifetime_seconds?: number;
}

export class SessionOpened {
  @Part(() => SessionShape) session!: SessionShape;
  @Text({ max: 64, description: 'For the header x-session-guid, shown this once.' }) session_guid!: string;
}

export class SessionCloseRequest extends WriteRequest {
  @Uuid() session_id!: string;
}

export class SessionData {
  @Part(() => SessionShape) session!: SessionShape;
}

export class OrganisationShape {
  @Code() orgcode!: string;
  @Integer({ min: 1, max: 2_147_483_647, description: 'The organisation as a number: tenant_id of operation runs.' })
  org_id!: number;
  @Text({ max: 256, optional: true }) caption?: string;
  @Text({ max: 64 }) time_zone!: string;
  @OneOf(WEEK_STARTS) week_start!: (typeof WEEK_STARTS)[number];
  @OneOf(CATALOG_POLICIES, { description: 'What happens to events of types that the catalog does not list.' })
  catalog_policy!: (typeof CATALOG_POLICIES)[number];
  @OpenObject({ description: 'Calls a minute by class, where the operator set other ones than the default.' })
  limits!: Record<string, number>;
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
  @Revision() revision!: string;
}

export class OrganisationGetRequest {}

export class OrganisationData {
  @Part(() => OrganisationShape) org!: OrganisationShape;
}

export class OrganisationSetRequest extends WriteRequest {
  @Revision() expected_revision!: string;
  @Text({ max: 256, optional: true }) caption?: string;
  @Text({ max: 64, optional: true }) time_zone?: string;
  @OneOf(WEEK_STARTS, { optional: true }) week_start?: (typeof WEEK_STARTS)[number];
  @OneOf(CATALOG_POLICIES, { optional: true }) catalog_policy?: (typeof CATALOG_POLICIES)[number];
}
