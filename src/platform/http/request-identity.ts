import { randomFillSync, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { traceparentParts } from '../telemetry/traceparent.js';
import type { Span } from '../telemetry/span.js';

const VISIBLE_ASCII_128 = /^[\x21-\x7e]{1,128}$/;
const NOT_SAMPLED = '00';

/** The caller's trace (W3C Trace Context), or one that began here. */
export class Trace {
  private constructor(
    readonly traceId: string,
    private readonly flags: string,
    private readonly span: Span | undefined,
  ) {}

  static with(traceId: string, flags: string): Trace {
    return new Trace(traceId, flags, undefined);
  }

  static of(span: Span): Trace {
    return new Trace(traceparentParts(span.traceparent)?.traceId ?? '', '', span);
  }

  /** What goes on to whom we call: the trace with the span of the request, or, where there is none, one that is new for each call. */
  get traceparent(): string {
    return this.span?.traceparent ?? `00-${this.traceId}-${randomHex(8)}-${this.flags}`;
  }

  /** For what outlives the request; undefined where nobody keeps this trace. */
  get kept(): string | undefined {
    return this.span?.isKept ? this.span.traceparent : undefined;
  }
}

export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && VISIBLE_ASCII_128.test(given) ? given : randomUUID();
}

export function traceOf({ traceparent }: IncomingHttpHeaders): Trace {
  const given = typeof traceparent === 'string' ? traceparentParts(traceparent) : undefined;
  return Trace.with(given?.traceId ?? randomHex(16), given?.flags ?? NOT_SAMPLED);
}

/** Asking the system for a few bytes per request took a fifth of a cheap route's time (docs/performance.md). */
const supply = Buffer.alloc(8_192);
let used = supply.length;

function randomHex(bytes: number): string {
  if (used + bytes > supply.length) {
    randomFillSync(supply);
    used = 0;
  }
  used += bytes;
  return supply.toString('hex', used - bytes, used);
}
