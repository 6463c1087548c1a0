import { boundLog, LogTail } from './log-file.js';

const EVERY_MS = 200;
const CALM_LEVELS: unknown[] = ['trace', 'debug', 'info'];

/** Shows what the app logs while it runs: warnings and errors, or everything. */
export class AppLogView {
  private readonly tail: LogTail;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly file: string,
    private readonly verbose: boolean,
    private readonly show: (line: string) => void,
  ) {
    this.tail = new LogTail(file, 0);
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.look();
  }

  private look(): void {
    for (const line of this.tail.readLines()) {
      if (this.verbose) this.show(line);
      else if (isWarning(line)) this.show(shortened(line));
    }
    boundLog(this.file);
  }
}

interface LogRecord {
  level?: unknown;
  msg?: unknown;
  err?: { message?: unknown };
}

/** Lines that are no records come from Node itself, mostly on its way down. */
function isWarning(line: string): boolean {
  const record = parse(line);
  return record === undefined || !CALM_LEVELS.includes(record.level);
}

function shortened(line: string): string {
  const record = parse(line);
  if (record === undefined) return line;
  const cause = typeof record.err?.message === 'string' ? `: ${record.err.message}` : '';
  return `${String(record.level)}  ${String(record.msg ?? '')}${cause}`;
}

function parse(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return undefined;
  }
}
