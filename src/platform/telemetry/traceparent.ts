const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/;

export interface TraceparentParts {
  traceId: string;
  spanId: string;
  flags: string;
}

/** W3C Trace Context; undefined for what is none. */
export function traceparentParts(text: string): TraceparentParts | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  return traceId === undefined || spanId === undefined || flags === undefined ? undefined : { traceId, spanId, flags };
}
