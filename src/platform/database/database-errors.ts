import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';

const RETRYABLE_CONFLICTS = new Set(['40001', '40P01']);
const LOCK_NOT_AVAILABLE = '55P03';
const CHECK_VIOLATION = '23514';

/** Connection lost or refused, out of connections, shutting down, out of disk: the caller may try again. */
const UNAVAILABLE =
  /^(08...|53...|57P0[1-5]|57014|25P03|58...|ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|P1001|P1002|P1008|P1017|P2024|P2028|DatabaseNotReachable|ConnectionClosed|SocketTimeout)$/;
const UNAVAILABLE_MESSAGE =
  /connection (terminated|timeout|ended)|query read timeout|timeout exceeded when trying to connect|client has encountered a connection error|not queryable|Connection terminated/i;

interface ErrorLayers {
  code?: unknown;
  originalCode?: unknown;
  /** The adapter's own word where a commit fails and Prisma adds none. */
  kind?: unknown;
  message?: unknown;
  cause?: unknown;
  meta?: { driverAdapterError?: unknown; code?: unknown };
}

/** Every code that the layers of an error carry: ours, Prisma's, the adapter's and Postgres's own. */
function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const { code, originalCode, kind, cause, meta } = error as ErrorLayers;
  const own = [originalCode, code, kind, meta?.code].filter((value): value is string => typeof value === 'string');
  return [...own, ...codesOf(cause, depth + 1), ...codesOf(meta?.driverAdapterError, depth + 1)];
}

/** Two transactions met; running the work again is expected to succeed. */
export function isRetryableConflict(error: unknown): boolean {
  return codesOf(error).some((code) => RETRYABLE_CONFLICTS.has(code) || code === 'P2034');
}

export function hasCode(error: unknown, code: string): boolean {
  return codesOf(error).includes(code);
}

export function isLockTimeout(error: unknown): boolean {
  return hasCode(error, LOCK_NOT_AVAILABLE);
}

/** A row for which no partition has been made yet. */
export function isPartitionMissing(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return hasCode(error, CHECK_VIOLATION) && message.includes('no partition of relation');
}

/** What a caller may know of a database error: a clear 503 if waiting helps; the error itself otherwise, which becomes a 500. */
export function translateDatabaseError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (isLockTimeout(error) || isRetryableConflict(error))
    return new AppError(platformErrors.databaseBusy, { cause: error });
  const message = error instanceof Error ? error.message : '';
  if (codesOf(error).some((code) => UNAVAILABLE.test(code)) || UNAVAILABLE_MESSAGE.test(message)) {
    return new AppError(platformErrors.databaseUnavailable, { cause: error });
  }
  return error;
}
