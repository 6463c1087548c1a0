import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Configuration } from '../config/configuration.js';
import { fingerprint } from '../secrets/keyring.js';

/** The one key of all operators, from the configuration. */
@Injectable()
export class OperatorKey {
  readonly isSet: boolean;
  readonly fingerprint: string;
  private readonly digest: Buffer;

  constructor({ operatorKey }: Configuration) {
    this.isSet = operatorKey !== undefined;
    this.fingerprint = fingerprint('api_key', operatorKey ?? '');
    this.digest = operatorKey === undefined ? randomBytes(32) : digestOf(operatorKey); // what no text has: always compared
  }

  /** Takes the same time whatever is given. */
  is(given: string): boolean {
    return timingSafeEqual(digestOf(given), this.digest) && this.isSet;
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
