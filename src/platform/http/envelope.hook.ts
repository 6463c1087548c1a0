import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Answer } from './answer.js';
import type { Envelope } from './envelope.dto.js';
import type { OperationConfig } from './operation.js';
import { statsOfRequest } from './stats.js';

/** The way out of what succeeded: a value becomes `{success, data, stats}`. Failures have theirs from the filter already. */
export function installEnvelope(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, value, done) => {
    const { operation } = request.routeOptions.config as Partial<OperationConfig>;
    done(null, operation && reply.statusCode === 200 ? envelopeOf(value as object, request, reply) : value);
  });
}

function envelopeOf(value: object, request: FastifyRequest, reply: FastifyReply): Envelope {
  if (!(value instanceof Answer)) return { success: true, data: value, stats: statsOfRequest(request) };
  const { data, stats, revision, replayed } = value as Answer<object>;
  if (replayed) void reply.header('idempotent-replayed', 'true');
  return { success: true, data, stats, ...(revision === undefined ? {} : { revision }) };
}
