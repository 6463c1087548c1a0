import { ApiProperty } from '@nestjs/swagger';
import { CONTEXT_SOURCES, type ContextSource } from './caller.js';

export class BuildMeta {
  @ApiProperty() build_major!: string;
  @ApiProperty() build_minor!: string;
  @ApiProperty() build_id!: string;
}

const optional = { required: false } as const;

export class Stats {
  @ApiProperty() call!: string;
  @ApiProperty({ enum: ['ipm'] }) service!: 'ipm';
  @ApiProperty(optional) request_id?: string;
  @ApiProperty({ format: 'date-time' }) timestamp_utc!: string;
  @ApiProperty(optional) actor?: string;
  @ApiProperty({ ...optional, enum: CONTEXT_SOURCES }) context_source?: ContextSource;
  @ApiProperty(optional) session_fingerprint?: string;
  @ApiProperty(optional) api_key_fingerprint?: string;
  @ApiProperty(optional) orgcode?: string;
  @ApiProperty(optional) cccode?: string;
  @ApiProperty(optional) logical_guid?: string;
  @ApiProperty(optional) channel_code?: string;
  @ApiProperty({ ...optional, type: [String] }) roles?: string[];
  @ApiProperty() build!: BuildMeta;
}

class LocalisedMessage {
  @ApiProperty(optional) en_US?: string;
}

export class ErrorMajor {
  @ApiProperty() tag!: string;
  @ApiProperty() message!: LocalisedMessage;
}

export class ErrorEnvelope {
  @ApiProperty(optional) error_code?: string;
  @ApiProperty({ ...optional, type: 'integer' }) http_status?: number;
  @ApiProperty(optional) retryable?: boolean;
  @ApiProperty(optional) request_id?: string;
  @ApiProperty(optional) trace_id?: string;
  @ApiProperty() major!: ErrorMajor;
  @ApiProperty(optional) minor?: ErrorMajor;
  @ApiProperty({ ...optional, type: 'object' } as never) details?: object;
  @ApiProperty({ ...optional, type: 'object' } as never) conflict_snapshot?: object;
}

export class Envelope {
  @ApiProperty() success!: boolean;
  @ApiProperty({ ...optional, type: 'object' } as never) data?: object;
  @ApiProperty(optional) error?: ErrorEnvelope;
  @ApiProperty(optional) stats?: Stats;
  @ApiProperty(optional) revision?: string;
}
