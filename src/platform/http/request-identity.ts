import { randomFillSync, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const VISIBLE_ASCII_128 = /^[\x21-\x7e]{1,128}$/;
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})/;
const NOT_SAMPLED = '00';

/** The caller's trace (W3C Trace Context), or one that began here. */
export class Trace {
  constructor(
    readonly traceId: string,
    private readonly flags: string,
  ) {}

  /** What goes on to whom we call: the trace with a span of ours, a new one for each call. */
  get traceparent(): string {
    return `00-${this.traceId}-${randomHex(8)}-${this.flags}`;
  }
}

export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && VISIBLE_ASCII_128.test(given) ? given : randomUUID();
}

export function traceOf({ traceparent }: IncomingHttpHeaders): Trace {
  const [, traceId, flags] = TRACEPARENT.exec(typeof traceparent === 'string' ? traceparent : '') ?? [];
  return new Trace(traceId ?? randomHex(16), flags ?? NOT_SAMPLED);
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
