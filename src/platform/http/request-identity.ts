import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const VISIBLE_ASCII_128 = /^[\x21-\x7e]{1,128}$/;
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})/;

export interface Trace {
  traceId: string;
  /** What goes on to whom we call: the caller's trace with a span of ours. */
  traceparent: string;
}

export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && VISIBLE_ASCII_128.test(given) ? given : randomUUID();
}

/** Goes on with the caller's trace (W3C Trace Context), or starts one. */
export function traceOf(headers: IncomingHttpHeaders): Trace {
  const given = headers.traceparent;
  const [, traceId = randomBytes(16).toString('hex'), flags = '00'] =
    TRACEPARENT.exec(typeof given === 'string' ? given : '') ?? [];
  return { traceId, traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}` };
}
