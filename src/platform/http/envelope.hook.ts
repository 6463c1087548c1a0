import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Answer } from './answer.js';
import type { Envelope } from './envelope.dto.js';
import type { OperationConfig } from './operation.js';
import { RenderedItems, stringifyWith } from './rendered-items.js';
import { statsOfRequest } from './stats.js';

type SuccessEnvelope = Envelope & { success: true; data: object };

/** The way out of what succeeded: a value becomes `{success, data, stats}`. Failures have theirs from the filter already. */
export function installEnvelope(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, value, done) => {
    const { operation } = request.routeOptions.config as Partial<OperationConfig>;
    if (!operation || reply.statusCode !== 200) return done(null, value);
    const envelope = envelopeOf(value as object, request, reply);
    const { items } = envelope.data as { items?: unknown };
    if (items instanceof RenderedItems) void reply.serializer(() => stringifyWith(items, envelope));
    done(null, envelope);
  });
}

function envelopeOf(value: object, request: FastifyRequest, reply: FastifyReply): SuccessEnvelope {
  if (!(value instanceof Answer)) return { success: true, data: value, stats: statsOfRequest(request) };
  const { data, stats, revision, replayed } = value as Answer<object>;
  if (replayed) void reply.header('idempotent-replayed', 'true');
  return { success: true, data, stats, ...(revision === undefined ? {} : { revision }) };
}
