import { AppError, type AppErrorContext, type FieldProblem } from '../platform/errors/app-error.js';
import { BadConfiguration } from '../platform/config/environment-reader.js';
import { translateDatabaseError } from '../platform/database/database-errors.js';

/** What scripts decide by. */
export const EXIT = { done: 0, refused: 1, wrongUsage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What the person at the terminal can mend: shown as its message alone. */
export class CommandFailure extends Error {
  constructor(
    readonly exitCode: ExitCode,
    readonly tag: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CommandFailure';
  }
}

export interface Failure {
  exitCode: ExitCode;
  tag: string;
  message: string;
  fields?: readonly FieldProblem[];
}

type Details = NonNullable<AppErrorContext['details']>;

/** Where the words of an answer over HTTP would not help at a terminal. */
const AT_THE_TERMINAL: Readonly<Record<string, (details: Details) => string>> = {
  org_not_found: () => 'There is no such organisation; ipm org list shows those there are.',
  api_key_not_found: () => 'The organisation has no API key with that key id; ipm key list shows them.',
  lifecycle_step_refused: ({ lifecycle, from, to }) =>
    from === to
      ? `The ${words(lifecycle)} is ${from} already.`
      : `The ${words(lifecycle)} is ${from} and cannot become ${to}.`,
  revision_stale: () => 'Somebody else changed it at the same moment; look at it and try again.',
  database_unavailable: () => 'Postgres does not answer at the moment; ipm doctor says more.',
  request_invalid: () => 'Some of what was given is not valid.',
};

export function failureOf(error: unknown): Failure {
  if (error instanceof CommandFailure) return { exitCode: error.exitCode, tag: error.tag, message: error.message };
  if (error instanceof BadConfiguration) {
    return { exitCode: EXIT.wrongUsage, tag: 'bad_configuration', message: error.message };
  }
  const known = translateDatabaseError(error);
  if (known instanceof AppError) return failureOfAppError(known);
  const message = error instanceof Error ? error.message : String(error);
  return {
    exitCode: EXIT.refused,
    tag: 'unexpected',
    message: `Something unexpected went wrong: ${message.trim()}\nRun it again with --verbose to see where.`,
  };
}

function failureOfAppError({ failure, context }: AppError): Failure {
  const { fields, details = {} } = context;
  const message = AT_THE_TERMINAL[failure.tag]?.(details) ?? withoutPointer(failure.message);
  return {
    exitCode: exitCodeOf(failure),
    tag: failure.tag,
    message,
    ...(fields && fields.length > 0 ? { fields } : {}),
  };
}

function exitCodeOf({ major, tag }: AppError['failure']): ExitCode {
  if (major === 'unavailable') return EXIT.unreachable;
  return tag === 'request_invalid' ? EXIT.wrongUsage : EXIT.refused;
}

function words(name: unknown): string {
  return String(name).replaceAll('_', ' ');
}

/** `…; details.fields names which.` points into an answer that nobody sees here: the fields stand below. */
function withoutPointer(message: string): string {
  return message.replace(/[;,] details\.\w+ [^.;]*\.$/, '.');
}
