import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, OperatorCaller } from './caller.js';
import { requestIdOf, traceOf, type Trace } from './request-identity.js';

export interface RequestIdentity {
  requestId: string;
  trace: Trace;
  /** The route's path below /ipm, or the path asked for where there is no such route. */
  call: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    requestIdentity: RequestIdentity;
    /** Set by the authentication hook alone. */
    caller: Caller | undefined;
    /** Set by the operators' door alone. */
    operator: OperatorCaller | undefined;
  }
}

const UNKNOWN_ROUTE = 'unknown';

/** Gives every request its ids first of all, so that even a refusal carries them. */
export function installRequestScope(fastify: FastifyInstance): void {
  fastify.decorateRequest('requestIdentity', null as never);
  fastify.decorateRequest('caller', undefined);
  fastify.decorateRequest('operator', undefined);
  fastify.addHook('onRequest', (request, reply, done) => {
    identify(request, reply);
    done();
  });
}

export function identify(request: FastifyRequest, reply: FastifyReply): void {
  const requestId = requestIdOf(request.headers);
  request.requestIdentity = { requestId, trace: traceOf(request.headers), call: callOf(request) };
  void reply.header('x-request-id', requestId);
}

function callOf({ routeOptions, is404 }: FastifyRequest): string {
  return is404 || routeOptions.url === undefined ? UNKNOWN_ROUTE : routeOptions.url.replace(/^\/(ipm\/)?/, '');
}

/** Who calls. Only operations with a role have a caller. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!caller) throw new Error('an operation for anyone has no caller');
  return caller;
});

/** Who calls a room of operators. */
export const CurrentOperator = createParamDecorator((_data: unknown, context: ExecutionContext): OperatorCaller => {
  const { operator } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!operator) throw new Error('only the routes of an operator room have an operator');
  return operator;
});
