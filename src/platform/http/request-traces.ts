import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Span } from '../telemetry/span.js';
import { Tracing } from '../telemetry/tracing.js';
import { Trace } from './request-identity.js';

/** Probes say nothing, and streams last as long as somebody listens. */
const UNTRACED = new Set(['health/live', 'health/ready', 'metrics', 'cdc/stream']);

/** A span for each request, where traces are kept: what is done for it hangs below. */
@Injectable()
export class RequestTraces {
  private readonly spans = new WeakMap<FastifyRequest, Span>();

  constructor(private readonly tracing: Tracing) {}

  install(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, _reply, done) => {
      this.begin(request);
      done();
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      const status = reply.statusCode;
      const attributes = { 'http.response.status_code': status, 'ipm.orgcode': request.caller?.orgcode };
      this.spans.get(request)?.end(attributes, status >= 500 ? `answered ${status}` : undefined);
      done();
    });
  }

  private begin(request: FastifyRequest): void {
    const { requestIdentity, method, headers } = request;
    const { call, requestId } = requestIdentity;
    if (!this.tracing.isOn || UNTRACED.has(call)) return;
    const { traceparent } = headers;
    const span = this.tracing.begin({
      name: `${method} ${call}`,
      kind: 'server',
      parent: typeof traceparent === 'string' ? traceparent : undefined,
      attributes: { 'http.request.method': method, 'http.route': call, 'ipm.request_id': requestId },
    });
    if (!span) return;
    this.spans.set(request, span);
    requestIdentity.trace = Trace.of(span);
  }
}
