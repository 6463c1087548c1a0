import type { IncomingHttpHeaders } from 'node:http';

export type Credential =
  { kind: 'api_key'; secret: string } | { kind: 'session'; secret: string } | { kind: 'jwt'; secret: string };

const MAX_CREDENTIAL_LENGTH = 8_192;

/** The one credential of a request; undefined for none, for two kinds at once, and for what cannot be one. */
export function credentialIn(headers: IncomingHttpHeaders): Credential | undefined {
  const bearer =
    headers.authorization === undefined ? undefined : (/^Bearer ([^\s]+)$/i.exec(headers.authorization)?.[1] ?? '');
  const given: [Credential['kind'], unknown][] = [
    ['api_key', headers['x-api-key']],
    ['session', headers['x-session-guid']],
    ['jwt', bearer],
  ];
  const present = given.filter(([, secret]) => secret !== undefined);
  const [only] = present;
  if (present.length !== 1 || !only) return undefined;
  const [kind, secret] = only;
  if (typeof secret !== 'string' || secret === '' || secret.length > MAX_CREDENTIAL_LENGTH) return undefined;
  return { kind, secret };
}
