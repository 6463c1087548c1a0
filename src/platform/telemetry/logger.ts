import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';
import { AppError } from '../errors/app-error.js';

/** Header and field names whose values never reach a log line, wherever they stand. */
const SECRET_FIELDS = [
  'x-api-key',
  'x-session-guid',
  'authorization',
  'api_key',
  'session_guid',
  'signing_secret',
  'secret',
  'password',
];
const REDACTED_PATHS = SECRET_FIELDS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

/** Pino's own serializer walks into an error's fields and writes on them, which a frozen catalog entry answers with a TypeError. */
function errorForLog(error: unknown): unknown {
  if (!(error instanceof AppError)) return error instanceof Error ? stdSerializers.err(error) : error;
  const { failure, context, stack } = error;
  return { type: 'AppError', tag: failure.tag, stack, ...(context.cause ? { cause: errorForLog(context.cause) } : {}) };
}

/** JSON lines, on stdout unless told otherwise. What belongs to a call carries its request_id and trace_id. */
export function createLogger(destination: DestinationStream = process.stdout): Logger {
  return pino(
    {
      base: null,
      level: 'info',
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      serializers: { err: errorForLog },
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

export const log: Logger = createLogger();

/** Nest's own messages in the same form. Its chatter at start is for debugging. */
export class NestLogger implements LoggerService {
  log(message: unknown, context?: string): void {
    log.debug({ context }, String(message));
  }
  warn(message: unknown, context?: string): void {
    log.warn({ context }, String(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) === 'ExceptionHandler') return; // a failed start is thrown too, and `main` says it once
    log.error({ context: rest.at(-1), err: message instanceof Error ? message : undefined }, String(message));
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    log.fatal({ context: rest.at(-1) }, String(message));
  }
}
