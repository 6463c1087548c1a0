import type { OwnEvent } from '../cdc/own-events.service.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { countsOf } from './job-counts.js';

/** What others hear of a job that has ended. catalog/events/ipm describes the four. */
export function bulkJobEvent(job: BulkJobRecord): OwnEvent {
  const { jobId, jobType, status, operationRunId, failureTag, failureMessage } = job;
  const payload = {
    job_id: jobId,
    operation_run_id: operationRunId,
    ...(jobType === 'export' && rangeOf(job)),
    ...countsOf(job),
    ...(failureTag === null ? completion(job) : { failure: { error_tag: failureTag, message: failureMessage } }),
  };
  return { action: `${jobType}.${status}`, resource: { type: 'bulk_job', id: jobId }, payload };
}

function rangeOf({ service, fromUtc, toUtc }: BulkJobRecord): object {
  return {
    ...(service !== null && { service }),
    ...(fromUtc !== null && { from_utc: fromUtc }),
    ...(toUtc !== null && { to_utc: toUtc }),
  };
}

function completion({ jobType, reportKey, position, endPosition }: BulkJobRecord): object {
  return jobType === 'import'
    ? { report_available: reportKey !== null }
    : { more_available: (position ?? 0n) < (endPosition ?? 0n) };
}
