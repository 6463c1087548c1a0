import { Flag, Integer, OneOf, OpenMap, Part, Text, UtcTime, Uuid } from '../platform/http/fields.js';
import { WRITEBACK_STATUSES, type WritebackStatus } from './dead-letter.dto.js';

// Acts on many dead letters: beyond document 002.

const ACTS = ['replay', 'acknowledge'] as const;
export type BulkActKind = (typeof ACTS)[number];
const STATUSES = ['queued', 'counting', 'running', 'completed'] as const;
const OUTCOMES = ['succeeded', 'partially_succeeded', 'blocked', 'failed'] as const;
const MAX_COUNT = 2 ** 31 - 1;
const OPTIONAL = { optional: true } as const;

/** What is left out is any. */
export class BulkActFilter {
  @OneOf(WRITEBACK_STATUSES, OPTIONAL) status?: WritebackStatus;
  @Text({ max: 128, optional: true, description: 'A reasonCode, in any case.' }) reason?: string;
  @Text({ max: 64, optional: true }) orgcode?: string;
  @Text({ max: 128, optional: true, description: 'Of `orgcode`.' }) webhookId?: string;
  @UtcTime({ optional: true, description: 'Failed then or later.' }) failedFrom?: string;
  @UtcTime({ optional: true, description: 'Failed before.' }) failedTo?: string;
}

export class BulkActRequest {
  @OneOf(ACTS) act!: BulkActKind;
  @Part(() => BulkActFilter) filter!: BulkActFilter;
  @Text({ max: 2_000, optional: true }) reason?: string;
}

export class BulkCountRequest {
  @OneOf(ACTS) act!: BulkActKind;
  @Part(() => BulkActFilter) filter!: BulkActFilter;
}

export class BulkActParams {
  @Uuid() id!: string;
}

export class BulkAct {
  @Uuid() bulkActId!: string;
  @OneOf(ACTS) act!: BulkActKind;
  @Part(() => BulkActFilter) filter!: BulkActFilter;
  @OneOf(STATUSES) status!: (typeof STATUSES)[number];
  @OneOf(OUTCOMES, OPTIONAL) outcome?: (typeof OUTCOMES)[number];
  @Integer({ min: 0, max: MAX_COUNT, description: 'Known when it is running.' }) matched!: number;
  @Integer({ min: 0, max: MAX_COUNT }) done!: number;
  @OpenMap({ description: 'How many were refused, by code.' }) skipped!: Record<string, number>;
  @Flag() cancelAsked!: boolean;
  @Integer({ min: 1, max: MAX_COUNT, optional: true }) operationRunId?: number;
  @UtcTime() createdAt!: string;
  @UtcTime() updatedAt!: string;
}

export class BulkCount {
  @Integer({ min: 0, max: MAX_COUNT }) matched!: number;
  @Flag({ description: 'There are more than were counted.' }) isAtLeast!: boolean;
}

export class BulkActAnswer {
  @Flag({ description: 'True.' }) ok!: true;
  @Part(() => BulkAct) data!: BulkAct;
}

export class BulkCountAnswer {
  @Flag({ description: 'True.' }) ok!: true;
  @Part(() => BulkCount) data!: BulkCount;
}
