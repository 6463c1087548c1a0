import { CONTEXT_SOURCES, type ContextSource } from '../platform/http/caller.js';
import { Id, NextToken, OneOf, OpenObject, Parts, Text, Texts, UtcTime } from '../platform/http/fields.js';
import { PageRequest, SourceRef } from '../platform/http/request.dto.js';

export const AUDIT_OUTCOMES = ['done', 'refused'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export class AuditEventShape {
  @Text({ max: 20, description: 'Place in the chain of the organisation, from 1 without gaps.' }) seq!: string;
  @Id() audit_id!: string;
  @Text({ max: 128, description: 'The operation, as in stats.call.' }) event_type!: string;
  @OneOf(AUDIT_OUTCOMES) outcome!: AuditOutcome;
  @Text({ max: 64, optional: true, description: 'Why it was refused.' }) error_tag?: string;
  @Text({ max: 256 }) actor!: string;
  @Text({ max: 256, optional: true, description: 'Who request_context said it was; never believed.' })
  claimed_actor?: string;
  @Texts({ maxLength: 64 }) roles!: string[];
  @OneOf(CONTEXT_SOURCES) context_source!: ContextSource;
  @Text({ max: 32, optional: true }) fingerprint?: string;
  @Text({ max: 64, optional: true }) resource_type?: string;
  @Text({ max: 256, optional: true }) resource_id?: string;
  @OpenObject({ optional: true }) before?: object;
  @OpenObject({ optional: true }) after?: object;
  @Text({ max: 2000, optional: true }) reason?: string;
  @Parts(() => SourceRef, { optional: true }) source_refs?: SourceRef[];
  @Text({ max: 128 }) request_id!: string;
  @Text({ max: 32, optional: true }) trace_id?: string;
  @Text({ max: 255, optional: true }) idempotency_key?: string;
  @Text({ max: 64, optional: true }) cccode?: string;
  @UtcTime() recorded_at!: string;
  @Text({ max: 64, description: 'SHA-256 over this event and the hash of the one before, in hex.' }) hash!: string;
}

export class AuditListRequest extends PageRequest {
  @Text({ max: 128, optional: true }) event_type?: string;
  @Text({ max: 256, optional: true }) actor?: string;
  @Text({ max: 64, optional: true }) resource_type?: string;
  @Text({ max: 256, optional: true }) resource_id?: string;
  @OneOf(AUDIT_OUTCOMES, { optional: true }) outcome?: AuditOutcome;
}

export class AuditList {
  @Parts(() => AuditEventShape) items!: AuditEventShape[];
  @NextToken() next_token?: object;
}
