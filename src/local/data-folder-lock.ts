import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.js';
import { StartProblem } from './start-problem.js';

/**
 * One process at a time per folder, without a moment in which two could hold it, and without anything to clean up after a kill.
 *
 * The holder is named by the file with the highest number. A dead holder's file is never removed to make room (two starters could
 * each remove the other's): the next number is linked instead, whole and by exactly one. A file is removed only below a higher one.
 */
export class DataFolderLock {
  private constructor(private readonly file: string) {}

  static acquire(lockFolder: string): DataFolderLock {
    for (;;) {
      const top = highestNumber(lockFolder);
      const holder = top === 0 ? undefined : holderOf(path.join(lockFolder, String(top)));
      if (holder && isRunning(holder)) {
        const folder = path.dirname(lockFolder);
        throw new StartProblem(
          `Already running on ${folder}: process ${holder.pid}. Stop that one first, or choose another folder with IPM_DATA_DIR=/path.`,
        );
      }
      const mine = path.join(lockFolder, String(top + 1));
      if (!linkOwnName(mine)) continue;
      // A starter that slept since its look into the folder may have made a number that others left behind long ago.
      if (highestNumber(lockFolder) !== top + 1) {
        rmSync(mine, { force: true });
        continue;
      }
      removeBelow(lockFolder, top + 1);
      return new DataFolderLock(mine);
    }
  }

  release(): void {
    const draft = `${this.file}.released`;
    writeFileSync(draft, JSON.stringify({ released: true }));
    renameSync(draft, this.file);
  }
}

function linkOwnName(file: string): boolean {
  const draft = path.join(path.dirname(file), `draft-${process.pid}-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, JSON.stringify(identityOf(process.pid)), { mode: 0o644 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function holderOf(file: string): ProcessIdentity | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessIdentity>;
    return holder.pid === undefined || holder.startTime === undefined ? undefined : (holder as ProcessIdentity);
  } catch {
    return undefined;
  }
}

function numbers(lockFolder: string): number[] {
  return readdirSync(lockFolder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function highestNumber(lockFolder: string): number {
  return Math.max(0, ...numbers(lockFolder));
}

function removeBelow(lockFolder: string, number: number): void {
  for (const lower of numbers(lockFolder).filter((candidate) => candidate < number)) {
    rmSync(path.join(lockFolder, String(lower)), { force: true });
  }
}
