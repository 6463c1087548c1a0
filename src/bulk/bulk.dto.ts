import {
  Flag,
  Id,
  Integer,
  NextToken,
  OneOf,
  OpenObject,
  Part,
  Parts,
  Revision,
  Text,
  TextOfForm,
  UtcTime,
} from '../platform/http/fields.js';
import { FollowingWriteRequest, IdempotentWriteRequest, PageRequest } from '../platform/http/request.dto.js';
import type { BulkJobStatus } from './bulk-job-lifecycle.js';
import { MAX_EXPORT_RECORDS } from './bulk-limits.js';

export const JOB_TYPES = ['import', 'export'] as const;
export type JobType = (typeof JOB_TYPES)[number];
const STATUSES = ['awaiting_upload', 'queued', 'running', 'completed', 'failed'] as const;
const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER, optional: true } as const;
const EXTENSION = { optional: true, extension: true } as const;

export class BulkImportCreateRequest extends IdempotentWriteRequest {
  @Id({ optional: true }) job_id?: string;
  @Text({
    max: 64,
    optional: true,
    description:
      '`application/x-ndjson` (unless given), `application/json` (the same), or `application/gzip` for either packed.',
  })
  content_type?: string;
}

export class BulkImportCommitRequest extends FollowingWriteRequest {
  @Id() job_id!: string;
  @Revision() expected_revision!: string;
  @Integer({
    ...COUNT,
    ...EXTENSION,
    description: 'Of the file, in bytes: an upload that was cut off is told from a whole one.',
  })
  size_bytes?: number;
}

export class BulkImportContinueRequest extends IdempotentWriteRequest {
  @Id() job_id!: string;
  @Id({ optional: true }) new_job_id?: string;
  @Integer({
    ...COUNT,
    min: 1,
    description: 'The first line to process, from 1; after the last processed one unless given.',
  })
  resume_from_line?: number;
}

export class BulkExportCreateRequest extends IdempotentWriteRequest {
  @Id({ optional: true }) job_id?: string;
  @Text({ max: 64, optional: true }) service?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, inclusive.' }) from_utc?: string;
  @UtcTime({ optional: true, description: 'On occurred_at, exclusive.' }) to_utc?: string;
  @Integer({ min: 1, max: MAX_EXPORT_RECORDS, optional: true, description: '100,000 unless given.' })
  max_records?: number;
  @OpenObject({
    optional: true,
    description: 'Where to begin: a next_token of the feed or of an export with the same filter.',
  })
  cursor?: object;
  @Flag({ ...EXTENSION, description: 'The file is packed with gzip.' }) gzip?: boolean;
}

export class BulkExportContinueRequest extends IdempotentWriteRequest {
  @Id() job_id!: string;
  @Id({ optional: true }) new_job_id?: string;
  @Integer({ min: 1, max: MAX_EXPORT_RECORDS, optional: true, description: 'As before unless given.' })
  max_records?: number;
}

export class BulkJobGetRequest {
  @Id() job_id!: string;
}

export class BulkJobListRequest extends PageRequest {
  @TextOfForm(new RegExp(`^(${STATUSES.join('|')})$`), 'not_one_of', { optional: true }) status?: BulkJobStatus;
  @TextOfForm(new RegExp(`^(${JOB_TYPES.join('|')})$`), 'not_one_of', { optional: true }) job_type?: JobType;
}

export class BulkInput {
  @Text({ max: 255, optional: true }) bucket?: string;
  @Text({ max: 255, optional: true }) key?: string;
  @Text({ max: 64, optional: true }) content_type?: string;
  @Integer({ ...COUNT, min: 1 }) resume_from_line?: number;
}

export class BulkOutput {
  @Text({ max: 255, optional: true }) bucket?: string;
  @Text({ max: 255, optional: true }) key?: string;
  @Text({ max: 64, ...EXTENSION }) content_type?: string;
  @Integer({ ...COUNT, ...EXTENSION }) size_bytes?: number;
  @Integer(COUNT) record_count?: number;
  @NextToken() next_token?: object;
  @Flag({
    ...EXTENSION,
    description: 'max_records ended the export before the range did: `bulk/export/continue` goes on.',
  })
  has_more?: boolean;
  @Integer(COUNT) line_count?: number;
  @Integer(COUNT) processed_count?: number;
  @Integer(COUNT) error_count?: number;
  @Integer(COUNT) skipped_lines?: number;
}

export class BulkReport {
  @Text({ max: 255, optional: true }) bucket?: string;
  @Text({ max: 255, optional: true }) key?: string;
  @Integer(COUNT) error_count?: number;
}

export class BulkFilter {
  @Text({ max: 64, optional: true }) service?: string;
  @UtcTime({ optional: true }) from_utc?: string;
  @UtcTime({ optional: true }) to_utc?: string;
  @Integer({ min: 1, max: MAX_EXPORT_RECORDS, optional: true }) max_records?: number;
  @OpenObject({ optional: true }) cursor?: object;
}

export class BulkFailure {
  @Text({ max: 64 }) error_tag!: string;
  @Text({ max: 1_000 }) message!: string;
}

/** While it runs. */
export class BulkProgress {
  @Integer({ ...COUNT, description: 'Lines of an import, records of an export.' }) lines?: number;
  @Integer({ ...COUNT, description: 'Of an import: read so far, unpacked.' }) bytes?: number;
  @Integer({
    ...COUNT,
    description: 'Of the upload; absent where it is packed, because its lines are known at its end.',
  })
  total_bytes?: number;
  @Integer(COUNT) lines_per_second?: number;
  @UtcTime({ optional: true }) estimated_end?: string;
}

export class BulkJob {
  @Id() job_id!: string;
  @OneOf(JOB_TYPES) job_type!: JobType;
  @OneOf(['events']) target!: 'events';
  @OneOf(['ndjson']) format!: 'ndjson';
  @OneOf(STATUSES) status!: BulkJobStatus;
  @Part(() => BulkInput, { optional: true }) input?: BulkInput;
  @Part(() => BulkOutput, { optional: true }) output?: BulkOutput;
  @Part(() => BulkReport, { optional: true }) report?: BulkReport;
  @Part(() => BulkFilter, { optional: true }) filter?: BulkFilter;
  @Id({ ...EXTENSION, description: 'The job that it goes on from.' }) continues?: string;
  @Part(() => BulkProgress, EXTENSION) progress?: BulkProgress;
  @Part(() => BulkFailure, EXTENSION) failure?: BulkFailure;
  @Integer({ min: 1, max: 2 ** 31 - 1, ...EXTENSION }) operation_run_id?: number;
  @UtcTime() created_at!: string;
  @UtcTime() updated_at!: string;
  @Revision() revision!: string;
}

export class BulkJobData {
  @Part(() => BulkJob, { optional: true }) job!: BulkJob;
}

export class BulkImportCreated extends BulkJobData {
  @Text({ max: 4_096, optional: true }) upload_url!: string;
}

export class BulkJobWithFiles extends BulkJobData {
  @Text({ max: 4_096, optional: true }) download_url?: string;
  @Text({ max: 4_096, optional: true }) report_url?: string;
}

export class BulkJobList {
  @Parts(() => BulkJob, { optional: true }) items!: BulkJob[];
  @NextToken() next_token?: object;
}
