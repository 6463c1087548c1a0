import { ApiProperty } from '@nestjs/swagger';
import { Id, NextToken, OneOf, OpenObject, Part, Parts, Text, Texts } from '../platform/http/fields.js';
import { PageRequest, WriteRequest } from '../platform/http/request.dto.js';
import { VALIDATION_LEVELS, type EventTypeOrigin, type ValidationLevel } from './event-type.js';
import type { RedactionRules } from './redaction-rules.js';

const ours = { optional: true, extension: true } as const;
const optional = { optional: true } as const;

export class EventCatalogListRequest extends PageRequest {
  @Text({ max: 64, ...optional }) service?: string;
  @Text({ max: 128, ...optional }) action?: string;
  @Text({ max: 128, ...optional }) action_prefix?: string;
}

export class EventCatalogEntry {
  @Text({ max: 64, ...optional }) service?: string;
  @Text({ max: 128, ...optional }) action?: string;
  @Text({ max: 2048, ...optional }) schema_url?: string;
  @Text({ max: 16, ...optional }) schema_version?: string;
  @OpenObject(optional) redaction?: RedactionRules;
  @Text({ max: 2000, ...ours }) description?: string;
  @OneOf(VALIDATION_LEVELS, ours) validation?: ValidationLevel;
  @OneOf(['builtin', 'organisation'], ours) origin?: EventTypeOrigin;
}

export class EventCatalogList {
  @Parts(() => EventCatalogEntry, optional) items!: EventCatalogEntry[];
  @NextToken() next_token?: object;
}

export class ExportContractListRequest extends PageRequest {
  @Text({ max: 64, ...optional }) service?: string;
}

export class ExportContract {
  @Text({ max: 64 }) service!: string;
  @OneOf(['events']) stream!: 'events';
  @OneOf(['ndjson']) format!: 'ndjson';
  @Texts({ maxLength: 64 }) partitioning!: string[];
  @Texts({ maxLength: 128 }) actions!: string[];
  @Text({ max: 2048, ...optional }) schema_url?: string;
  @Text({ max: 16, ...optional }) schema_version?: string;
  @OpenObject(optional) redaction?: Record<string, RedactionRules>;
}

export class ExportContractList {
  @Parts(() => ExportContract, optional) contracts!: ExportContract[];
  @NextToken() next_token?: object;
}

export class LifecycleListRequest {
  @Text({ max: 64, ...optional }) service?: string;
  @Text({ max: 64, ...optional }) name?: string;
}

export class LifecycleTransition {
  @Text({ max: 64, ...optional }) from!: string;
  @Text({ max: 64, ...optional }) to!: string;
  @Text({ max: 500, ...optional }) rule!: string;
}

export class LifecycleItem {
  @Text({ max: 64, ...optional }) name!: string;
  @Text({ max: 64, ...optional }) service!: string;
  @Texts({ maxLength: 64, ...optional }) states!: readonly string[];
  @Parts(() => LifecycleTransition, optional) transitions!: readonly LifecycleTransition[];
}

export class LifecycleList {
  @Parts(() => LifecycleItem, optional) items!: LifecycleItem[];
  @Text({ max: 64, ...optional }) version!: string;
}

export class SpecimenGetRequest {
  @Text({ max: 161, ...optional }) name?: string;
}

export class SpecimenData {
  @Text({ max: 161, ...optional }) name?: string;
  @OpenObject(optional) specimen?: object;
  @OpenObject(optional) specimens?: Record<string, object>;
}

export class PaginationGetRequest {}

export class StatData {
  @Text({ max: 16, ...optional }) service!: string;
  @Text({ max: 16, ...optional }) status!: string;
}

export class EventTypeFacts {
  @OneOf(['required', 'optional'], optional) references?: 'required' | 'optional';
  @Texts({ maxLength: 200, ...optional }) numerics?: string[];
}

/** An event type as it is registered: the format of the files under `catalog/events`. */
export class EventTypeShape {
  @Id() service!: string;
  @Id() action!: string;
  @Id({ description: 'major.minor' }) schema_version!: string;
  @Text({ max: 2000, ...optional }) description?: string;
  @OneOf(VALIDATION_LEVELS, optional) validation?: ValidationLevel;
  @OpenObject({ description: 'JSON Schema 2020-12 of the payload.' }) schema!: object;
  @OpenObject({ ...optional, description: 'Path in the payload to hash, mask or drop.' }) redaction?: RedactionRules;
  @Part(() => EventTypeFacts, optional) facts?: EventTypeFacts;
  @OpenObject({ ...optional, description: 'A whole event; its payload must satisfy the schema.' }) specimen?: object;
}

export class EventTypeRegisterRequest extends WriteRequest {
  @Part(() => EventTypeShape) event_type!: EventTypeShape;
}

export class EventTypeRegistered {
  @Part(() => EventCatalogEntry) entry!: EventCatalogEntry;
}

export class EventTypeSchema {
  @ApiProperty() service!: string;
  @ApiProperty() action!: string;
  @ApiProperty() schema_version!: string;
  @ApiProperty({ type: 'object', description: 'JSON Schema 2020-12 of the payload.' } as never) schema!: object;
  @ApiProperty({ type: 'object' } as never) redaction!: RedactionRules;
}
