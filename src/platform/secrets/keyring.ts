import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Configuration, type SecretsConfiguration } from '../config/configuration.js';

/** What a derived key is for. Two purposes never share a key, so a value made for one means nothing to another. */
export type HashPurpose =
  'api_key.verifier' | 'session.verifier' | 'jwt.verifier' | 'next_token' | 'redaction' | 'file_link';
export type FingerprintKind = 'api_key' | 'session' | 'jwt';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Keyed hashes from the root secret, and encryption at rest from the key ring. */
@Injectable()
export class Keyring {
  private readonly derived = new Map<HashPurpose, Buffer>();
  private readonly encryptionKeys: ReadonlyMap<string, Buffer>;
  /** Of the key that seals; the others only open. */
  readonly newestKeyId: string;
  private readonly secret: string;

  constructor(configuration: Configuration) {
    const { secret, encryptionKeys }: SecretsConfiguration = configuration.secrets;
    const entries = encryptionKeys.split(',').map((entry): [string, Buffer] => {
      const [kid = '', key = ''] = entry.trim().split(':');
      return [kid, Buffer.from(key, 'base64')];
    });
    this.secret = secret;
    this.encryptionKeys = new Map(entries);
    this.newestKeyId = entries[0]?.[0] ?? '';
  }

  keyedHash(purpose: HashPurpose, text: string): Buffer {
    let key = this.derived.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.secret, '', `ipm.${purpose}`, 32));
      this.derived.set(purpose, key);
    }
    return createHmac('sha256', key).update(text).digest();
  }

  /** Encrypts for one place only: a sealed text opened with another `boundTo` fails. */
  seal(text: string, boundTo: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.encryptionKey(this.newestKeyId), nonce);
    cipher.setAAD(Buffer.from(`${this.newestKeyId}|${boundTo}`));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${this.newestSeal}${sealed.toString('base64url')}`;
  }

  /** What every text begins with that the newest key has sealed. */
  get newestSeal(): string {
    return `v1.${this.newestKeyId}.`;
  }

  knows(keyId: string): boolean {
    return this.encryptionKeys.has(keyId);
  }

  /** The same text under the newest key. */
  sealAnew(sealedText: string, boundTo: string): string {
    return sealedText.startsWith(this.newestSeal) ? sealedText : this.seal(this.open(sealedText, boundTo), boundTo);
  }

  open(sealedText: string, boundTo: string): string {
    const [, kid = '', body = ''] = sealedText.split('.');
    const sealed = Buffer.from(body, 'base64url');
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.encryptionKey(kid), nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(`${kid}|${boundTo}`));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }

  private encryptionKey(kid: string): Buffer {
    const key = this.encryptionKeys.get(kid);
    if (!key)
      throw new Error(`encryption key "${kid}" is not in IPM_ENCRYPTION_KEYS; keep old keys at the end of the list`);
    return key;
  }
}

/** Correlates calls of one credential without telling anything about it, and is not what the verifier stores. */
export function fingerprint(kind: FingerprintKind, credential: string): string {
  return createHash('sha256').update(`ipm.fingerprint.${kind}|${credential}`).digest('hex').slice(0, 32);
}
