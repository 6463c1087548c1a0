import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { Histogram } from 'prom-client';
import { Metrics } from '../telemetry/metrics.js';

const DURATIONS_S = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** They last as long as somebody listens. */
const STREAMS = new Set(['cdc/stream']);

/** How often each route is called, how it ends and how long it takes. Routes are few; what has none is one of them. */
@Injectable()
export class RequestMetrics {
  private readonly durations: Histogram<'call' | 'status'>;

  constructor({ registry }: Metrics) {
    this.durations = new Histogram({
      name: 'ipm_http_request_seconds',
      help: 'Requests by route and class of status: 2xx, 4xx, 5xx',
      labelNames: ['call', 'status'],
      buckets: DURATIONS_S,
      registers: [registry],
    });
  }

  install(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      const call = request.requestIdentity?.call;
      if (call !== undefined && !STREAMS.has(call)) {
        const status = `${Math.floor(reply.statusCode / 100)}xx`;
        this.durations.observe({ call, status }, reply.elapsedTime / 1_000);
      }
      done();
    });
  }
}
