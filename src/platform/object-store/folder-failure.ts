import { AppError } from '../errors/app-error.js';
import { BodyBroke } from './object-body.js';
import { ObjectStoreUnavailable } from './object-store-failures.js';

const FULL = 'is full: free some space, or move IPM_DATA_DIR to a larger disk';
const REFUSED = 'may not be used by this user: check the owner and mode of IPM_DATA_DIR';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EACCES: REFUSED,
  EPERM: REFUSED,
  EROFS: 'is mounted read-only',
  EIO: 'cannot read or write its disk',
  EMFILE: 'needs more open files than this process may have',
  ENFILE: 'needs more open files than this machine may have',
};

/** What a caller should know of an error below: whatever the operating system refuses may be mended and tried again. */
export function folderFailure(error: unknown): unknown {
  if (error instanceof BodyBroke) return error.cause;
  if (error instanceof AppError) return error;
  const { code, syscall, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return new ObjectStoreUnavailable(`${REASONS[code] ?? 'cannot use its folder'} (${message})`, error);
}
