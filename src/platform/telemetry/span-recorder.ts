import { context, diag, DiagLogLevel, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { buildInfo } from '../config/build-info.js';
import type { TracingConfiguration } from '../config/tracing-configuration.js';
import { log } from './logger.js';
import { traceparentParts } from './traceparent.js';
import type { NewSpan, Span, SpanAttributes } from './span.js';

const EXPORT_EVERY_MS = 1_000;
const EXPORT_WITHIN_MS = 5_000;
const SAMPLED = 1;
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

/** Spans by OpenTelemetry, sent in batches. A collector that is away costs the spans and nothing else. */
export class SpanRecorder {
  private readonly provider: BasicTracerProvider;

  constructor({ endpoint, headers, serviceName, share }: TracingConfiguration) {
    diag.setLogger(quietly, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    const exporter = new OTLPTraceExporter({
      url: `${endpoint}/v1/traces`,
      headers: { ...headers },
      timeoutMillis: EXPORT_WITHIN_MS,
    });
    const version = `${buildInfo.build_major}.${buildInfo.build_minor}`;
    this.provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
      spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_EVERY_MS })],
    });
  }

  begin({ name, kind, parent, attributes }: NewSpan): Span {
    const options = { kind: KINDS[kind], attributes: known(attributes) };
    const span = this.provider.getTracer('ipm').startSpan(name, options, contextOf(parent));
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      traceparent: `00-${traceId}-${spanId}-${(traceFlags & SAMPLED).toString(16).padStart(2, '0')}`,
      isKept: span.isRecording(),
      end: (more, failure) => {
        span.setAttributes(known(more));
        if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
        span.end();
      },
    };
  }

  async close(): Promise<void> {
    await this.provider
      .shutdown()
      .catch((error: unknown) => log.warn({ err: error }, 'the last traces were not taken'));
  }
}

function contextOf(parent: string | undefined): Context {
  const parts = parent === undefined ? undefined : traceparentParts(parent);
  if (!parts) return context.active();
  const { traceId, spanId, flags } = parts;
  return trace.setSpanContext(context.active(), {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & SAMPLED,
    isRemote: true,
  });
}

function known(attributes: SpanAttributes): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}

const said = (message: string, ...details: unknown[]): void =>
  log.warn({ details: details.map(String) }, `traces: ${message.slice(0, 500)}`);
const nothing = (): void => undefined;
const quietly = { error: said, warn: said, info: nothing, debug: nothing, verbose: nothing };
