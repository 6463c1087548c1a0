import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';

const LARGEST_LOG = 64 * 1024 * 1024;
const LARGEST_READ = 256 * 1024;

/** Keeps the log of the last run beside the new one. */
export function rotateLog(file: string): void {
  if (existsSync(file)) renameSync(file, previousLog(file));
}

export function openLog(file: string): number {
  return openSync(file, 'a', 0o600);
}

/** The writers have the file open for appending, so that emptying it in place is safe. */
export function boundLog(file: string): void {
  if (!existsSync(file) || statSync(file).size < LARGEST_LOG) return;
  copyFileSync(file, previousLog(file));
  truncateSync(file);
}

export function lastLogLines(file: string, count: number): string[] {
  const tail = new LogTail(file, Math.max(0, sizeOf(file) - LARGEST_READ));
  return [...tail.readLines(), ...tail.unfinishedLine()].slice(-count);
}

/** Reads what was appended since the last look. */
export class LogTail {
  private rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly file: string,
    private offset: number,
  ) {}

  readLines(): string[] {
    const text = Buffer.concat([this.rest, this.readAppended()]);
    const end = text.lastIndexOf('\n') + 1;
    this.rest = text.subarray(end);
    return linesOf(text.subarray(0, end));
  }

  /** What has no line end yet: of a log that nobody writes to any more, its last line. */
  unfinishedLine(): string[] {
    return linesOf(this.rest);
  }

  private readAppended(): Buffer {
    if (!existsSync(this.file)) return Buffer.alloc(0);
    const descriptor = openSync(this.file, 'r');
    try {
      const size = fstatSync(descriptor).size;
      if (size < this.offset) this.offset = 0;
      const buffer = Buffer.alloc(Math.min(size - this.offset, LARGEST_READ));
      const length = readSync(descriptor, buffer, 0, buffer.length, this.offset);
      this.offset += length;
      return buffer.subarray(0, length);
    } finally {
      closeSync(descriptor);
    }
  }
}

function linesOf(text: Buffer): string[] {
  return text
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function previousLog(file: string): string {
  return file.replace(/\.log$/, '.old.log');
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
