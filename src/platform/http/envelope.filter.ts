import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { ERROR_MAJORS } from '../errors/error-catalog.js';
import { platformErrors } from '../errors/platform.errors.js';
import { log } from '../telemetry/logger.js';
import { MAX_BODY_BYTES } from './body-parser.js';
import type { Envelope, ErrorEnvelope } from './envelope.dto.js';
import { operatorRoomOf } from './operator-room.js';
import { statsOfRequest } from './stats.js';

/** The way out of what failed: anything thrown becomes `{success: false, error, stats}`, or what the room makes of it, and a defect tells nothing of itself. */
@Catch()
export class EnvelopeFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = expectedFailure(thrown, request);
    if (error.failure.status >= 500) logFailure(error, request);
    const { retryAfterSeconds = error.failure.retryable ? 1 : undefined } = error.context;
    if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
    if (error.failure.status === 401) void reply.header('www-authenticate', 'Bearer realm="ipm"');
    const body = operatorRoomOf(request)?.failureBody(error, request) ?? failureEnvelope(error, request);
    void reply.status(error.failure.status).type('application/json; charset=utf-8').send(body);
  }
}

/** The same where Fastify has no filter to ask: its own refusals and routes. */
export function answerFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  new EnvelopeFilter().catch(thrown, new ExecutionContextHost([request, reply]));
}

/** What came from the database was translated there: a connection that breaks here is the client's. */
function expectedFailure(error: unknown, request: FastifyRequest): AppError {
  if (error instanceof AppError) return error;
  const fromBelow = error instanceof HttpException ? error.cause : error; // Nest wraps what Fastify throws
  return (
    fromFastify(fromBelow, request) ??
    fromNest(error, request) ??
    new AppError(platformErrors.internal, { cause: error })
  );
}

/** Fastify's own refusals, by its stable codes. */
function fromFastify(error: unknown, { routeOptions }: FastifyRequest): AppError | undefined {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new AppError(platformErrors.mediaTypeUnsupported);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new AppError(platformErrors.bodyTooLarge, {
      details: { max_bytes: routeOptions.bodyLimit ?? MAX_BODY_BYTES },
    });
  const isClientError = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return typeof code === 'string' && isClientError
    ? new AppError(platformErrors.requestMalformed, { cause: error })
    : undefined;
}

/** Nest throws by itself only for routes that do not exist and for what it cannot parse. */
function fromNest(error: unknown, { is404 }: FastifyRequest): AppError | undefined {
  if (!(error instanceof HttpException) || error.getStatus() >= 500) return undefined;
  return new AppError(
    is404 || error.getStatus() === 404 ? platformErrors.routeNotFound : platformErrors.requestMalformed,
  );
}

function failureEnvelope(error: AppError, request: FastifyRequest): Envelope {
  return { success: false, error: errorEnvelope(error, request), stats: statsOfRequest(request) };
}

function errorEnvelope({ failure, context }: AppError, { requestIdentity }: FastifyRequest): ErrorEnvelope {
  const details = { ...context.details, ...(context.fields ? { fields: context.fields } : {}) };
  return {
    error_code: failure.tag,
    http_status: failure.status,
    retryable: failure.retryable,
    request_id: requestIdentity.requestId,
    trace_id: requestIdentity.trace.traceId,
    major: { tag: failure.major, message: { en_US: ERROR_MAJORS[failure.major] } },
    minor: { tag: failure.tag, message: { en_US: failure.message } },
    ...(Object.keys(details).length > 0 ? { details } : {}),
    ...(context.conflictSnapshot ? { conflict_snapshot: context.conflictSnapshot } : {}),
  };
}

function logFailure(error: AppError, { requestIdentity }: FastifyRequest): void {
  const { call, requestId, trace } = requestIdentity;
  const ids = { request_id: requestId, trace_id: trace.traceId };
  const fields = { ...ids, call, error_code: error.failure.tag, err: error.context.cause };
  if (error.failure === platformErrors.internal) log.error(fields, 'a request failed in a way nobody expected');
  else log.warn(fields, 'a request could not be served');
}
