import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { Answer } from './answer.js';
import type { Envelope } from './envelope.dto.js';
import type { OperationConfig } from './operation.js';
import { statsOfRequest } from './stats.js';

/** The way out of what succeeded: a value becomes `{success, data, stats}`. */
@Injectable()
export class EnvelopeInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { operation } = request.routeOptions.config as Partial<OperationConfig>;
    if (!operation) return next.handle(); // probes and documents have no envelope
    return next.handle().pipe(map((value: object) => envelopeOf(value, request, reply)));
  }
}

function envelopeOf(value: object, request: FastifyRequest, reply: FastifyReply): Envelope {
  if (!(value instanceof Answer)) return { success: true, data: value, stats: statsOfRequest(request) };
  const { data, stats, revision, replayed } = value as Answer<object>;
  if (replayed) void reply.header('idempotent-replayed', 'true');
  return { success: true, data, stats, ...(revision === undefined ? {} : { revision }) };
}
