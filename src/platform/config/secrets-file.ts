import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

/** The product's own secrets, where they are kept in a file rather than in the environment. */
export interface SecretsFile {
  /** Root of every keyed hash: key verifiers, tokens, fingerprints. */
  secret: string;
  /** Key ring for what is encrypted at rest: `kid:base64`, newest first, comma-separated. */
  encryption_keys: string;
}

export function readSecretsFile(file: string): SecretsFile {
  const parsed = parseQuietly(readFileSync(file, 'utf8'));
  if (typeof parsed?.secret !== 'string' || typeof parsed.encryption_keys !== 'string' || parsed.secret.length < 32) {
    throw new Error(`${file} must hold "secret", of 32 characters or more, and "encryption_keys" as JSON`);
  }
  return { secret: parsed.secret, encryption_keys: parsed.encryption_keys };
}

/** The message of JSON.parse quotes what it could not read, which would be a secret. */
function parseQuietly(text: string): Partial<SecretsFile> | null {
  try {
    return JSON.parse(text) as Partial<SecretsFile> | null;
  } catch {
    return null;
  }
}

/** Makes the file unless it is there. Whole or not at all: it is written aside and linked into place, so of two makers one wins. */
export function ensureSecretsFile(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(newSecrets(), null, 2)}\n`);
    fsyncSync(descriptor);
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
}

function newSecrets(): SecretsFile {
  return {
    secret: randomBytes(48).toString('base64url'),
    encryption_keys: `k1:${randomBytes(32).toString('base64')}`,
  };
}
