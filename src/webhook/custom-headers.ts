import type { FieldProblem } from '../platform/errors/app-error.js';
import { isSensitiveName } from '../platform/redaction/sensitive-names.js';

const MAX_HEADERS = 20;
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
const VALUE = /^[\x20-\x7e]{1,1024}$/;
/** What the protocol, the signature or the way of the message itself says. */
const RESERVED =
  /^(host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|cookie|webhook-.*|ipm-.*|user-agent|date|via|forwarded|x-forwarded-.*|x-real-ip|accept-encoding|traceparent|tracestate)$/;

export const MASKED_VALUE = '[masked]';

/** What is wrong with headers that somebody wants on each call. */
export function headerProblems(headers: Readonly<Record<string, unknown>>): FieldProblem[] {
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) return [{ path: 'headers', tag: 'too_many' }];
  const names = entries.map(([name]) => name.toLowerCase());
  return entries.flatMap(([name, value], i): FieldProblem[] => {
    const path = `headers.${name}`.slice(0, 200);
    const lower = name.toLowerCase();
    if (!NAME.test(lower)) return [{ path, tag: 'not_a_header_name' }];
    if (RESERVED.test(lower)) return [{ path, tag: 'reserved' }];
    if (names.indexOf(lower) !== i) return [{ path, tag: 'named_twice' }];
    if (value === MASKED_VALUE) return [{ path, tag: 'masked' }]; // shown by get, and no value that anybody means
    return typeof value === 'string' && VALUE.test(value) ? [] : [{ path, tag: 'not_a_header_value' }];
  });
}

/** As somebody may see them: of what looks like a credential only that it is there. */
export function maskedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isSensitiveName(name) ? MASKED_VALUE : value]),
  );
}
