/** What the person at the terminal can mend: shown as its message alone, without a stack. */
export class StartProblem extends Error {}

const CHOOSE_ANOTHER = 'or choose another folder with IPM_DATA_DIR=/path.';

/** The problem as one clear line where the cause is the folder or its disk, else the error as it came. */
export function explainStorageError(error: unknown, folder: string): unknown {
  if (error instanceof StartProblem) return error;
  const code = String((error as { code?: unknown } | undefined)?.code);
  // The last one is Postgres's own name for it.
  if (['ENOSPC', 'EDQUOT', '53100'].includes(code)) return noSpaceLeft(folder);
  if (['EACCES', 'EPERM'].includes(code)) {
    return new StartProblem(`${folder} is not writable for this user: change its owner, ${CHOOSE_ANOTHER}`);
  }
  if (code === 'EROFS')
    return new StartProblem(`${folder} is on a read-only file system: make it writable, ${CHOOSE_ANOTHER}`);
  if (code === 'ENOTDIR') return new StartProblem(`${folder} is not a folder: remove the file, ${CHOOSE_ANOTHER}`);
  return error;
}

export function noSpaceLeft(folder: string): StartProblem {
  return new StartProblem(`No space left on the disk of ${folder}: free some, ${CHOOSE_ANOTHER}`);
}
