import {
  Flag,
  Integer,
  OneOf,
  OpenMap,
  OpenObject,
  Part,
  Parts,
  Text,
  TextOfForm,
  UtcTime,
  Uuid,
} from '../platform/http/fields.js';
import type { DeadLetterStatus } from './dead-letter-lifecycle.js';

// The shapes of document 002. What stands in them beyond it says so.

export const WRITEBACK_STATUSES = ['retryable_failed', 'dead_failed', 'failed'] as const;
export type WritebackStatus = (typeof WRITEBACK_STATUSES)[number];
/** A replay is first on its way, and then perhaps no failure. */
export const JOB_STATUSES = [...WRITEBACK_STATUSES, 'queued', 'sending', 'delivered'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];
const OPERATOR_STATUSES = ['open', 'acknowledged', 'replayed'] as const;

const MAX_COUNT = 2 ** 31 - 1;
const OPTIONAL = { optional: true } as const;
const NULL_IF_NONE = { optional: true, nullable: true } as const;
const EXTENSION = { optional: true, extension: true } as const;

export class SummaryQuery {
  @TextOfForm(/^([1-9]|[1-9]\d|1[0-5]\d|16[0-8])$/, 'not_1_to_168', OPTIONAL) recentHours?: string;
}

export class DeadLettersQuery {
  @OneOf(WRITEBACK_STATUSES, OPTIONAL) status?: WritebackStatus;
  @Text({ max: 128, optional: true, description: 'A reasonCode, in any case.' }) reason?: string;
  @TextOfForm(/^([1-9]|[1-9]\d|100)$/, 'not_1_to_100', OPTIONAL) limit?: string;
  @Text({ max: 512, ...EXTENSION, description: 'nextCursor of the page before, with the same filters.' })
  cursor?: string;
  @Text({ max: 64, ...EXTENSION, description: 'Of this organisation only.' }) orgcode?: string;
}

export class DeadLetterParams {
  @Uuid() id!: string;
}

export class DeadLetterActRequest {
  @Text({ max: 2_000, ...EXTENSION, description: 'Why; stands in the audit and in the timeline.' }) reason?: string;
}

export class OperatorCounts {
  @Integer({ min: 0, max: MAX_COUNT }) open!: number;
  @Integer({ min: 0, max: MAX_COUNT }) acknowledged!: number;
}

export class RecentFailures {
  @UtcTime() since!: string;
  @Integer({ min: 0, max: MAX_COUNT }) total!: number;
  @Integer({ min: 0, max: MAX_COUNT, description: 'Sending them again may help.' }) retryable!: number;
  @Integer({ min: 0, max: MAX_COUNT, description: 'Somebody has to change something first.' }) nonRetryable!: number;
  @Integer({ min: 0, max: MAX_COUNT, description: 'The reason does not say.' }) unknown!: number;
  @OpenMap() byReasonCode!: Record<string, number>;
  @Integer({ min: 1, max: 168 }) windowHours!: number;
}

export class StatusSummary {
  @OpenMap() countsByStatus!: Record<WritebackStatus, number>;
  @Part(() => OperatorCounts) deadLetterOperatorCounts!: OperatorCounts;
  @Part(() => RecentFailures) recentFailures!: RecentFailures;
}

export class DeadLetter {
  @Uuid() jobId!: string;
  @Text({ max: 128, ...NULL_IF_NONE, description: 'The event_id.' }) noteId!: string | null;
  @OneOf(WRITEBACK_STATUSES) status!: WritebackStatus;
  @OneOf(OPERATOR_STATUSES) operatorStatus!: DeadLetterStatus;
  @Text({ max: 64, ...NULL_IF_NONE }) reasonCode!: string | null;
  @Integer({ min: 0, max: 32_767 }) attempts!: number;
  @Uuid(NULL_IF_NONE) replayOfJobId!: string | null;
  @Uuid(NULL_IF_NONE) replayedJobId!: string | null;
  @UtcTime() updatedAt!: string;
}

export class FailedAttempt {
  @Integer({ min: 1, max: 32_767 }) attempt!: number;
  @OneOf(JOB_STATUSES) fromStatus!: JobStatus;
  @OneOf(JOB_STATUSES) toStatus!: JobStatus;
  @Text({ max: 256, ...NULL_IF_NONE }) error!: string | null;
  @Text({ max: 64, ...NULL_IF_NONE }) reasonCode!: string | null;
  @UtcTime() occurredAt!: string;
}

export class ReplayOrigins {
  @Uuid(NULL_IF_NONE) replayOfJobId!: string | null;
  @Uuid(NULL_IF_NONE) replayedJobId!: string | null;
}

export class ReplayLinkage extends ReplayOrigins {
  @Uuid() originalJobId!: string;
  @Flag() isReplay!: boolean;
  @Flag() hasReplay!: boolean;
  @OneOf(JOB_STATUSES, NULL_IF_NONE) replayJobStatus!: JobStatus | null;
}

export class DeadLetterDetail {
  @Part(() => DeadLetter) deadLetter!: DeadLetter;
  @Text({ max: 256, ...NULL_IF_NONE }) lastError!: string | null;
  @Parts(() => FailedAttempt) attempts!: FailedAttempt[];
  @Part(() => ReplayOrigins) replayLinkage!: ReplayOrigins;
}

export class TimelineEvent {
  @Uuid() eventId!: string;
  @Text({ max: 64 }) eventType!: string;
  @Text({ max: 256 }) actor!: string;
  @OpenObject() payload!: object;
  @UtcTime() createdAt!: string;
}

export class ReplayStatus {
  @Part(() => DeadLetter) deadLetter!: DeadLetter;
  @Part(() => ReplayLinkage) replayLinkage!: ReplayLinkage;
}

export class DeadLetterHistory extends ReplayStatus {
  @Parts(() => TimelineEvent) timeline!: TimelineEvent[];
}

export class WritebackJob {
  @Uuid() jobId!: string;
  @Text({ max: 128, ...NULL_IF_NONE }) noteId!: string | null;
  @Text({ max: 256, description: 'The caption of the webhook, or the host of its endpoint.' }) ehr!: string;
  @OneOf(JOB_STATUSES) status!: JobStatus;
  @Integer({ min: 0, max: 32_767 }) attempts!: number;
  @OneOf(OPERATOR_STATUSES, { ...NULL_IF_NONE, description: 'Null for what has not failed.' })
  operatorStatus!: DeadLetterStatus | null;
  @Text({ max: 256, ...NULL_IF_NONE }) lastError!: string | null;
  @Text({ max: 64, ...NULL_IF_NONE }) reasonCode!: string | null;
  @Uuid(NULL_IF_NONE) replayOfJobId!: string | null;
  @Uuid(NULL_IF_NONE) replayedJobId!: string | null;
  @UtcTime() createdAt!: string;
  @UtcTime() updatedAt!: string;
}

export class Replayed {
  @Part(() => WritebackJob) originalJob!: WritebackJob;
  @Part(() => WritebackJob) replayJob!: WritebackJob;
}

abstract class Ok {
  @Flag({ description: 'True.' }) ok!: true;
}

export class StatusSummaryAnswer extends Ok {
  @Part(() => StatusSummary) data!: StatusSummary;
}

export class DeadLettersAnswer extends Ok {
  @Parts(() => DeadLetter) data!: DeadLetter[];
  @Text({ max: 512, ...EXTENSION, description: 'There while there are more.' }) nextCursor?: string;
}

export class DeadLetterDetailAnswer extends Ok {
  @Part(() => DeadLetterDetail) data!: DeadLetterDetail;
}

export class DeadLetterHistoryAnswer extends Ok {
  @Part(() => DeadLetterHistory) data!: DeadLetterHistory;
}

export class ReplayStatusAnswer extends Ok {
  @Part(() => ReplayStatus) data!: ReplayStatus;
}

export class ReplayedAnswer extends Ok {
  @Part(() => Replayed) data!: Replayed;
}

export class WritebackJobAnswer extends Ok {
  @Part(() => WritebackJob) data!: WritebackJob;
}
