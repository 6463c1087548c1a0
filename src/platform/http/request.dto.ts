import { ApiExtension } from '@nestjs/swagger';
import { CONTEXT_SOURCES, type ContextSource } from './caller.js';
import { Code, Limit, NextToken, OneOf, Part, Parts, Text, TextOfForm, Texts } from './fields.js';

export class SourceRef {
  @Text({ max: 128 }) kind!: string;
  @Text({ max: 256 }) id!: string;
}

/** What a client says of itself. Only checked and kept for the audit; it grants nothing. */
export class RequestContext {
  @Code() orgcode!: string;
  @Text({ max: 256, optional: true }) logical_guid?: string;
  @Text({ max: 256, optional: true }) channel_code?: string;
  @Code({ optional: true }) cccode?: string;
  @Text({ max: 256 }) actor!: string;
  @Texts({ maxLength: 64, optional: true }) roles?: string[];
  @OneOf(CONTEXT_SOURCES) context_source!: ContextSource;
  @Text({ max: 128, optional: true }) session_fingerprint?: string;
  @Text({ max: 128, optional: true }) api_key_fingerprint?: string;
}

const MAX_REASON = 2_000;

const VISIBLE_ASCII_255 = /^[\x21-\x7e]{1,255}$/;

abstract class GroundedRequest {
  @Part(() => RequestContext) request_context!: RequestContext;
  @Text({ max: MAX_REASON }) reason!: string;
  @Parts(() => SourceRef, { maxItems: 100 }) source_refs!: SourceRef[];
}

/** Every write says who, why and on what grounds. `Idempotency-Key` works as a header everywhere, and so does the body's field. */
export abstract class WriteRequest extends GroundedRequest {
  @TextOfForm(VISIBLE_ASCII_255, 'not_an_idempotency_key', { optional: true, extension: true })
  idempotency_key?: string;
}

/** A write whose idempotency the contract itself promises. */
@ApiExtension('x-idempotency-scope', 'orgcode+route+idempotency_key')
@ApiExtension('x-idempotency-retention-hours', 24)
@ApiExtension('x-idempotency-replay', 'return_original_response')
export abstract class IdempotentWriteRequest extends GroundedRequest {
  @TextOfForm(VISIBLE_ASCII_255, 'not_an_idempotency_key', { optional: true })
  idempotency_key?: string;
}

/** A write that may leave out why, because what it goes on with has said it. */
export abstract class FollowingWriteRequest {
  @Part(() => RequestContext) request_context!: RequestContext;
  @Text({ max: MAX_REASON, optional: true }) reason?: string;
  @Parts(() => SourceRef, { maxItems: 100, optional: true }) source_refs?: SourceRef[];
  @TextOfForm(VISIBLE_ASCII_255, 'not_an_idempotency_key', { optional: true, extension: true })
  idempotency_key?: string;
}

export abstract class PageRequest {
  @Limit() limit?: number;
  @NextToken() next_token?: object;
}
