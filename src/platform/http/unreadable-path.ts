import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { answerFailure } from './envelope.filter.js';
import { identify } from './request-scope.js';
import { RESPONSE_HEADERS } from './response-headers.js';

/** Fastify refuses a path that it cannot decode, or with too long a part, before any hook and in words of its own. */
export function refuseUnreadablePath(cause: unknown, request: FastifyRequest, reply: FastifyReply): void {
  identify(request, reply);
  void reply.headers(RESPONSE_HEADERS);
  answerFailure(new AppError(platformErrors.routeNotFound, { cause }), request, reply);
}
