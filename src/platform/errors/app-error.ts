import type { ExpectedFailure } from './error-catalog.js';

export interface FieldProblem {
  /** Dotted path into the body, or the header's name. */
  path: string;
  tag: string;
}

export interface AppErrorContext {
  fields?: readonly FieldProblem[];
  details?: Readonly<Record<string, unknown>>;
  /** The present state of the thing that the caller wanted to change; of the caller's own organisation only. */
  conflictSnapshot?: object;
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An expected failure of a catalog. Whatever else is thrown is a defect, answered as 500 and logged with its cause. */
export class AppError extends Error {
  constructor(
    readonly failure: ExpectedFailure,
    readonly context: AppErrorContext = {},
  ) {
    super(`${failure.tag}: ${failure.message}`, { cause: context.cause });
    this.name = 'AppError';
  }
}
