import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Configuration } from '../config/configuration.js';
import { Keyring } from '../secrets/keyring.js';

export const FILES_PATH = '/files';

/** What a signed URL of the folder allows. Whoever has it needs nothing else. */
export interface FileLink {
  readonly method: 'PUT' | 'GET';
  readonly key: string;
  readonly contentType: string;
  readonly expiresAtSeconds: number;
  readonly fileName?: string | undefined;
  readonly contentEncoding?: string | undefined;
}

/** Signed URLs for a store that cannot serve any by itself. */
@Injectable()
export class FileLinks {
  constructor(
    private readonly keyring: Keyring,
    private readonly configuration: Configuration,
  ) {}

  urlOf(link: FileLink): string {
    const claim = Buffer.from(JSON.stringify(link)).toString('base64url');
    const signature = this.signatureOf(claim).toString('base64url');
    return `${this.configuration.publicUrl}${FILES_PATH}?link=${claim}.${signature}`;
  }

  /** Undefined for what is not signed by us, for another method, or expired: nobody is told which. */
  read(text: unknown, method: FileLink['method'], now = new Date()): FileLink | undefined {
    const [claim = '', signature = '', ...more] = typeof text === 'string' ? text.split('.') : [];
    const given = Buffer.from(signature, 'base64url');
    const expected = this.signatureOf(claim);
    if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const link = JSON.parse(Buffer.from(claim, 'base64url').toString('utf8')) as FileLink;
    return link.method === method && now.getTime() < link.expiresAtSeconds * 1000 ? link : undefined;
  }

  private signatureOf(claim: string): Buffer {
    return this.keyring.keyedHash('file_link', claim);
  }
}
