import { AppError } from '../errors/app-error.js';
import { BodyBroke } from './object-body.js';
import { ObjectStoreUnavailable } from './object-store-failures.js';

const FULL = 'is full';
const BUSY = 'asks to be called less';
const REFUSED = 'refuses us: check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, their rights and the clock of this machine';
const SILENT = 'did not answer in time';

const REASONS: Readonly<Record<string, string>> = {
  InsufficientStorage: FULL,
  QuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  SlowDown: BUSY,
  ServiceUnavailable: BUSY,
  RequestTimeout: SILENT,
  TimeoutError: SILENT,
  NoSuchBucket: 'has no such bucket: make it, or mend S3_BUCKET',
  AuthorizationHeaderMalformed: REFUSED,
};

const REASONS_BY_STATUS: Readonly<Record<number, string>> = { 401: REFUSED, 403: REFUSED, 429: BUSY, 507: FULL };

/** The client wraps an error of the network that another realm made, which loses its code. */
const WRAPPED = /^AWS SDK error wrapper for /;

interface S3Error {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

/** What a caller should know of an error of the S3 client: whatever an operator can mend, or time heals, may be tried again. */
export function s3Failure(error: unknown): unknown {
  if (error instanceof BodyBroke) return error.cause;
  if (error instanceof AppError) return error;
  const reason = reasonFor((error ?? {}) as S3Error);
  return reason === undefined ? error : new ObjectStoreUnavailable(`${reason} (${detailOf(error as S3Error)})`, error);
}

function reasonFor({ name = '', code, message = '', $metadata }: S3Error): string | undefined {
  const status = $metadata?.httpStatusCode ?? 0;
  const known = REASONS[name] ?? REASONS_BY_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'fails';
  return code === undefined && !WRAPPED.test(message) ? undefined : 'cannot be reached';
}

/** Failed connections to several addresses come as an AggregateError without a message of its own. */
function detailOf({ name = '', code, message = '' }: S3Error): string {
  return [code ?? name, message].filter((part) => part !== '').join(': ');
}
