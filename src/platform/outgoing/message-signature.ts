import { createHmac } from 'node:crypto';

/** What every signing secret begins with; the rest is its key in base64. */
export const SECRET_PREFIX = 'whsec_';

/** A secret of that form: as it is, or made of the bytes of whatever text was agreed on. */
export function signingSecretOf(text: string): string {
  return text.startsWith(SECRET_PREFIX) ? text : SECRET_PREFIX + Buffer.from(text).toString('base64');
}

/**
 * `v1,…` of the Standard Webhooks scheme over exactly what is sent. The key is decoded each time: that takes a tenth of the
 * hash, and a cache would take as much and keep secrets longer than they are needed.
 */
export function signatureOf(secret: string, id: string, timestampSeconds: number, body: string | Buffer): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestampSeconds}.`).update(body).digest('base64')}`;
}
