import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const KEY_ID_LENGTH = 12;
/** 62^43 is just above 2^256. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const FORM = new RegExp(
  `^ipm_([0-9A-Za-z]{${KEY_ID_LENGTH}})_[0-9A-Za-z]{${SECRET_LENGTH}}([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`,
);

export interface NewApiKey {
  keyId: string;
  /** Shown once; only its keyed hash is stored. */
  apiKey: string;
}

/** `ipm_<key id>_<256-bit secret><checksum>`: scanners find it by its prefix, and a mistyped one is known without asking anybody. */
export function newApiKey(): NewApiKey {
  const keyId = randomBase62(KEY_ID_LENGTH);
  const unchecked = `ipm_${keyId}_${randomBase62(SECRET_LENGTH)}`;
  return { keyId, apiKey: unchecked + checksum(unchecked) };
}

/** The key's public id, or undefined for a mistyped key and for keys of another making (the bootstrap key may be any string). */
export function keyIdOf(apiKey: string): string | undefined {
  const [, keyId, sum] = FORM.exec(apiKey) ?? [];
  return keyId !== undefined && checksum(apiKey.slice(0, -CHECKSUM_LENGTH)) === sum ? keyId : undefined;
}

/** Each character is drawn evenly: bytes that would favour the alphabet's head are drawn again. */
function randomBase62(length: number): string {
  const even = 256 - (256 % ALPHABET.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length))
      if (byte < even && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length);
  }
  return text;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i += 1) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
