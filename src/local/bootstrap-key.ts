import { randomBytes } from 'node:crypto';

/** The owner key of the demo organisation: 256 random bits, 43 characters that need no quoting in a shell or a URL. */
export function newBootstrapKey(): string {
  return randomBytes(32).toString('base64url');
}
