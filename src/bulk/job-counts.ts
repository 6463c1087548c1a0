import type { OperationCounts } from '../operations/operation-runs.service.js';
import type { BulkJobRecord } from './bulk-job.repository.js';

/** How far a job is, as its operation run and its own event say it. */
export function countsOf(job: BulkJobRecord): OperationCounts {
  return job.jobType === 'export' ? { record_count: Number(job.recordCount) } : lineCounts(job);
}

function lineCounts({ lineCount, processedCount, errorCount, skippedLines }: BulkJobRecord): OperationCounts {
  return {
    line_count: Number(lineCount),
    processed_count: Number(processedCount),
    error_count: Number(errorCount),
    skipped_lines: Number(skippedLines),
  };
}
