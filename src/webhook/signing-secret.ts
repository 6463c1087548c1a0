import { randomBytes } from 'node:crypto';
import { SECRET_PREFIX } from '../platform/outgoing/message-signature.js';

const SECRET_BYTES = 32;

export function newSigningSecret(): string {
  return `${SECRET_PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;
}

export function lastFourOf(secret: string): string {
  return secret.slice(-4);
}
