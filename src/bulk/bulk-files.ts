import { randomBytes } from 'node:crypto';

export const NDJSON_TYPE = 'application/x-ndjson';
export const GZIP_TYPE = 'application/gzip';
export const UPLOAD_TYPES = [NDJSON_TYPE, 'application/json', GZIP_TYPE];

/** Where a job's objects are: names of ours, which no client can choose or guess. */
export function newPrefix(): string {
  return `bulk/${randomBytes(16).toString('hex')}`;
}

/** Where the upload address leads. */
export function uploadKey(prefix: string): string {
  return `${prefix}/upload`;
}

/** What an import reads: a copy that no address leads to. Every version of the upload has its own. */
export function inputKey(prefix: string): string {
  return `${prefix}/input-${randomBytes(6).toString('hex')}`;
}

/** Who keeps retention from dropping what is not exported yet. */
export function exportHolder(jobId: string): string {
  return `bulk export ${jobId}`;
}

export function reportKey(prefix: string): string {
  return `${prefix}/report.ndjson`;
}

export function outputKey(prefix: string, contentType: string): string {
  return `${prefix}/events.ndjson${contentType === GZIP_TYPE ? '.gz' : ''}`;
}
