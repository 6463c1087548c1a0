import { feedFilters, type FeedFilters } from '../cdc/feed.service.js';
import { GZIP_TYPE } from './bulk-files.js';
import type { ShownBulkJob } from './bulk-job.repository.js';
import type { BulkFilter, BulkInput, BulkJob, BulkOutput, BulkProgress } from './bulk.dto.js';

/** What the wire shows beside the record itself. */
export interface JobSurroundings {
  bucket: string;
  /** The token of the feed that stands behind a position, for what passes the filters. */
  tokenAt: (position: bigint, filters: FeedFilters) => object;
}

export function jobToWire(record: ShownBulkJob, around: JobSurroundings): BulkJob {
  const { failureTag, failureMessage } = record;
  return {
    job_id: record.jobId,
    job_type: record.jobType as BulkJob['job_type'],
    target: 'events',
    format: 'ndjson',
    status: record.status as BulkJob['status'],
    ...(record.jobType === 'import' ? importParts(record, around) : exportParts(record, around)),
    ...given('continues', record.continues),
    ...given('progress', progressOf(record)),
    ...(failureTag === null ? {} : { failure: { error_tag: failureTag, message: failureMessage ?? '' } }),
    ...given('operation_run_id', record.operationRunId),
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    revision: String(record.revision),
  };
}

export function filtersOf({ service, fromUtc, toUtc }: ShownBulkJob): FeedFilters {
  return feedFilters({ service: service ?? undefined, from_utc: fromUtc ?? undefined, to_utc: toUtc ?? undefined });
}

function importParts(record: ShownBulkJob, { bucket }: JobSurroundings): Pick<BulkJob, 'input' | 'output' | 'report'> {
  const { contentType, inputKey, reportKey, resumeFromLine } = record;
  const input: BulkInput = {
    bucket,
    ...given('key', inputKey),
    content_type: contentType,
    resume_from_line: Number(resumeFromLine ?? 1n),
  };
  const output: BulkOutput = {
    line_count: Number(record.lineCount),
    processed_count: Number(record.processedCount),
    error_count: Number(record.errorCount),
    skipped_lines: Number(record.skippedLines),
  };
  const error_count = Number(record.errorCount);
  const report = reportKey === null ? {} : { report: { bucket, key: reportKey, error_count } };
  return { input, ...(record.startedAt === null ? {} : { output }), ...report };
}

function exportParts(record: ShownBulkJob, around: JobSurroundings): Pick<BulkJob, 'filter' | 'output'> {
  const { service, fromUtc, toUtc, maxRecords, startPosition, outputKey, outputBytes } = record;
  const filters = filtersOf(record);
  const filter: BulkFilter = {
    ...given('service', service),
    ...given('from_utc', fromUtc),
    ...given('to_utc', toUtc),
    ...given('max_records', maxRecords),
    ...(startPosition === null ? {} : { cursor: around.tokenAt(startPosition, filters) }),
  };
  if (record.startedAt === null) return { filter };
  const output: BulkOutput = {
    bucket: around.bucket,
    ...given('key', outputKey),
    content_type: record.contentType,
    ...(outputBytes === null ? {} : { size_bytes: Number(outputBytes) }),
    record_count: Number(record.recordCount),
    ...(record.status === 'completed' && endOf(record, filters, around)),
  };
  return { filter, output };
}

/** Where the next export goes on, and whether there is something there already. */
function endOf(
  { position, endPosition }: ShownBulkJob,
  filters: FeedFilters,
  { tokenAt }: JobSurroundings,
): Pick<BulkOutput, 'next_token' | 'has_more'> {
  const at = position ?? 0n;
  return { next_token: tokenAt(at, filters), has_more: at < (endPosition ?? 0n) };
}

function progressOf(record: ShownBulkJob): BulkProgress | null {
  const { status, startedAt, updatedAt, jobType, lineCount, recordCount, readBytes, inputBytes, contentType } = record;
  if (status !== 'running' || startedAt === null) return null;
  const seconds = Math.max((updatedAt.getTime() - startedAt.getTime()) / 1_000, 0.001);
  if (jobType === 'export')
    return { lines: Number(recordCount), lines_per_second: Math.round(Number(recordCount) / seconds) };
  const [read, total] = [Number(readBytes), contentType === GZIP_TYPE ? undefined : Number(inputBytes ?? 0n)];
  return {
    lines: Number(lineCount),
    bytes: read,
    lines_per_second: Math.round(Number(lineCount) / seconds),
    ...(total === undefined
      ? {}
      : {
          total_bytes: total,
          ...(read > 0 && {
            estimated_end: new Date(updatedAt.getTime() + (seconds * 1_000 * (total - read)) / read).toISOString(),
          }),
        }),
  };
}

function given<Name extends string, Value>(
  name: Name,
  value: Value | null,
): Record<Name, Value> | Record<string, never> {
  return value === null ? {} : ({ [name]: value } as Record<Name, Value>);
}
