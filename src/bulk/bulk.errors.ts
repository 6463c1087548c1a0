import { defineErrors } from '../platform/errors/error-catalog.js';
import { MAX_OPEN_JOBS } from './bulk-limits.js';

export const bulkErrors = defineErrors({
  notFound: { tag: 'bulk_job_not_found', major: 'not_found', status: 404, message: 'There is no bulk job of that id.' },
  exists: {
    tag: 'bulk_job_exists',
    major: 'conflict',
    status: 409,
    message: 'The organisation has a bulk job of that id already; leave it out, and one is made.',
  },
  tooMany: {
    tag: 'too_many_bulk_jobs',
    major: 'rate_limited',
    status: 429,
    retryable: true,
    message: `The organisation has ${MAX_OPEN_JOBS} bulk jobs that are not done; wait until some are.`,
  },
  contentTypeUnknown: {
    tag: 'content_type_unknown',
    major: 'validation',
    status: 400,
    message: 'An upload is application/x-ndjson, application/json or application/gzip.',
  },
  uploadMissing: {
    tag: 'upload_missing',
    major: 'conflict',
    status: 409,
    message: 'Nothing was uploaded yet: PUT the file to upload_url with the content type of the job, then commit.',
  },
  uploadIncomplete: {
    tag: 'upload_incomplete',
    major: 'conflict',
    status: 409,
    message: 'What was uploaded has not size_bytes: upload the whole file again, then commit.',
  },
  uploadChanged: {
    tag: 'upload_changed',
    major: 'conflict',
    status: 409,
    retryable: true,
    message: 'The upload was replaced during the commit; commit again when it stands still.',
  },
  uploadTooLarge: {
    tag: 'upload_too_large',
    major: 'conflict',
    status: 409,
    message: 'An upload may have up to 5 GiB; pack it with gzip or split it.',
  },
  uploadGone: {
    tag: 'upload_gone',
    major: 'conflict',
    status: 409,
    message: 'The upload of that job was deleted after its time; upload it again as a new import.',
  },
  notEnded: {
    tag: 'bulk_job_not_ended',
    major: 'conflict',
    status: 409,
    retryable: true,
    message: 'A job goes on from one that has ended; this one has not.',
  },
  otherType: {
    tag: 'bulk_job_of_other_type',
    major: 'conflict',
    status: 409,
    message: 'An import goes on from an import, and an export from an export.',
  },
});

/** What a bulk job can end with beside its success: nobody's call, so these are no answers. */
export const bulkFailures = {
  uploadExpired: { error_tag: 'upload_expired', message: 'Nothing was committed within 24 hours.' },
  uploadUnreadable: {
    error_tag: 'upload_unreadable',
    message: 'The upload cannot be unpacked: it is no gzip, or it is cut off. Lines before that place are in the log.',
  },
  unpackedTooLarge: {
    error_tag: 'unpacked_too_large',
    message: 'The upload unpacks to more than it may: over 100 GiB, or over 200 times its size. Split it.',
  },
  uploadGone: { error_tag: 'upload_gone', message: 'The upload is no more in the object store.' },
  storeUnavailable: {
    error_tag: 'object_store_unavailable',
    message: 'The object store did not work for too long; continue the job when it does.',
  },
  eventsExpired: {
    error_tag: 'events_expired',
    message: 'Retention dropped events before they were exported; begin a new export.',
  },
  broken: {
    error_tag: 'bulk_job_broken',
    message: 'The job stopped on an error again and again; the log of the workers has it.',
  },
} as const;
