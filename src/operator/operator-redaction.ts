import { isSensitiveName } from '../platform/redaction/sensitive-names.js';

const REDACTED = '[redacted]';
/** What operators never see, by whatever spelling it comes. */
const WITHHELD = new Set(['idempotencykey', 'lasterrordetail', 'attempthistory']);
const MAX_DEPTH = 32;
const REASON_CODE = /^CREDENTIALS_IN_URL$/;

/** Credentials that stand in a text: each is known by its form, or by what stands before it. */
const CREDENTIALS: readonly [RegExp, string][] = [
  [/\bwhsec_[\w+/=-]+/g, REDACTED],
  [/\bipm_\w{16,}/g, REDACTED],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/\/\/[^\s/@]+@/g, `//${REDACTED}@`],
];
/** `name=value`, `"name": "value"`: what names it, and what it is named. */
const NAMING = /([A-Za-z][\w.-]{0,63})["']?\s*[=:]\s*(["']?)/g;
const QUOTED = /^[^"']+/;
const BARE = /^(\[redacted\]|[^\s"'&,;{}[\]]+)/;

/**
 * The one policy of what operators may see: everything that they are answered, and everything that is kept of what they said, has gone
 * through here. Whole fields are left out or masked by their names, at any depth; what looks like a credential is masked in any text.
 */
export function operatorSafe<Value>(value: Value): Value {
  return safe(value, 0) as Value;
}

function safe(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return safeText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => safe(item, depth + 1));
  const entries = Object.entries(value).filter(([name]) => !WITHHELD.has(plainName(name)));
  return Object.fromEntries(
    entries.map(([name, inner]) => [safeText(name), isMasked(name, inner) ? REDACTED : safe(inner, depth + 1)]),
  );
}

/** A count by reason has a reason of ours for its name, such as CREDENTIALS_IN_URL. */
function isMasked(name: string, value: unknown): boolean {
  if (value === null || value === undefined || (typeof value === 'number' && REASON_CODE.test(name))) return false;
  return isSensitiveName(name);
}

function safeText(text: string): string {
  return withoutNamed(CREDENTIALS.reduce((masked, [pattern, mask]) => masked.replace(pattern, mask), text));
}

function withoutNamed(text: string): string {
  let shown = '';
  let shownTo = 0;
  for (const { index, 0: naming, 1: name = '', 2: quote } of text.matchAll(NAMING)) {
    if (index < shownTo || !isSensitiveName(name)) continue;
    const from = index + naming.length;
    const [value = ''] = (quote === '' ? BARE : QUOTED).exec(text.slice(from)) ?? [];
    if (value === '') continue;
    shown += text.slice(shownTo, from) + REDACTED;
    shownTo = from + value.length;
  }
  return shown + text.slice(shownTo);
}

function plainName(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
}
