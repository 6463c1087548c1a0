import { NotAllowed } from './guarded-connector.js';

const TAGS: readonly [RegExp, string][] = [
  [/^(ENOTFOUND|EAI_\w+|EDNS\w*)$/, 'name_not_found'],
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'connect_timeout'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'unreachable'],
  [/^UND_ERR_HEADERS_OVERFLOW$/, 'answer_header_too_large'],
  [/^(HPE_\w+|UND_ERR_RES\w*|UND_ERR_INFO)$/, 'answer_malformed'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'connection_lost'],
  [/^(CERT_\w+|DEPTH_ZERO\w*|SELF_SIGNED\w*|UNABLE_TO\w+|ERR_TLS\w*|ERR_SSL\w*|EPROTO)$/, 'tls_refused'],
];

/** A library's error as a tag of ours: stable, and telling nothing of our own network. */
export function failureTag(error: unknown): string {
  for (let layer = error; layer instanceof Error; layer = layer.cause) {
    if (layer instanceof NotAllowed) return layer.tag;
    const { code } = layer as { code?: unknown };
    const [, tag] = TAGS.find(([pattern]) => typeof code === 'string' && pattern.test(code)) ?? [];
    if (tag !== undefined) return tag;
    if (layer.name === 'HTTPParserError') return 'answer_malformed'; // undici leaves its code empty
    if (layer instanceof AggregateError) return failureTag(layer.errors[0]);
  }
  return 'call_failed';
}
