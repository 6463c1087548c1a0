/** What is known of a failure. `code` is what older clients call it. */
interface FailureDetails {
  reasonCode?: string | null;
  code?: string | null;
}

export type FailureKind = 'retryable' | 'nonRetryable' | 'unknown';

/** Of calls that may go well another time: nobody was reached, or who was reached had a bad moment. */
const PASSES_BY_ITSELF =
  /^(HTTP_(408|425|429|5\d\d)|TIMEOUT|NAME_NOT_FOUND|CONNECTION_REFUSED|CONNECT_TIMEOUT|UNREACHABLE|CONNECTION_LOST|ANSWER_MALFORMED|TOO_OLD)$/;
/** Somebody has to change something first. */
const STAYS =
  /^(HTTP_\d\d\d|REDIRECT_REFUSED|TLS_REFUSED|ANSWER_HEADER_TOO_LARGE|(ADDRESS|HTTP|PORT|SCHEME)_NOT_ALLOWED|NOT_A_URL|CREDENTIALS_IN_URL|FRAGMENT_IN_URL|EVENT_EXPIRED|WEBHOOK_REVOKED)$/;

/** One field and one spelling, whatever it was called where it comes from. */
export function reasonCodeOf({ reasonCode, code }: FailureDetails): string | null {
  const text = (reasonCode ?? code ?? '').trim();
  return text === '' ? null : text.toUpperCase();
}

/** The same as it is stored, from however somebody spells it. */
export function causeOf(reason: string | undefined): string | undefined {
  return reason?.trim().toLowerCase();
}

/** Whether sending it again is worth while, as far as the reason says. */
export function failureKindOf(reasonCode: string | null): FailureKind {
  if (reasonCode === null) return 'unknown';
  if (PASSES_BY_ITSELF.test(reasonCode)) return 'retryable';
  return STAYS.test(reasonCode) ? 'nonRetryable' : 'unknown';
}

const SENTENCES: Readonly<Record<string, string>> = {
  REDIRECT_REFUSED: 'The endpoint answered with a redirect, which is not followed.',
  TIMEOUT: 'The endpoint did not answer in time.',
  NAME_NOT_FOUND: 'The name of the endpoint leads nowhere.',
  CONNECTION_REFUSED: 'The endpoint refused the connection.',
  CONNECT_TIMEOUT: 'No connection to the endpoint came about in time.',
  UNREACHABLE: 'The endpoint cannot be reached.',
  TLS_REFUSED: 'The certificate or the TLS version of the endpoint is not accepted.',
  CONNECTION_LOST: 'The connection to the endpoint broke.',
  ANSWER_MALFORMED: 'What the endpoint answered is no HTTP.',
  ANSWER_HEADER_TOO_LARGE: 'The headers of the answer are too large.',
  EVENT_EXPIRED: 'Retention has taken the event.',
  WEBHOOK_REVOKED: 'Its webhook was revoked before it was sent.',
  TOO_OLD: 'It waited longer than deliveries may.',
  WORKERS_LOST: 'Workers were lost with it, more than once.',
  INTERNAL_ERROR: 'The call could not be made, for a reason of ours.',
};

/**
 * A failure in words of ours. What the endpoint answered is not among them: it may hold anything, and is for the organisation that the
 * endpoint belongs to.
 */
export function failureText(reasonCode: string | null): string | null {
  if (reasonCode === null) return null;
  const [, status] = /^HTTP_(\d{3})$/.exec(reasonCode) ?? [];
  if (status !== undefined) return `The endpoint answered ${status}.`;
  if (reasonCode.endsWith('_NOT_ALLOWED')) return 'The endpoint leads where calls may not go.';
  return SENTENCES[reasonCode] ?? 'The call failed.';
}
