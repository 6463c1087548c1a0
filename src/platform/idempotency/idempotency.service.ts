import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { isLockTimeout } from '../database/database-errors.js';
import type { SqlPart, Tx } from '../database/transaction.js';
import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { Answer } from '../http/answer.js';
import type { Caller } from '../http/caller.js';
import type { Stats } from '../http/envelope.dto.js';
import { Keyring } from '../secrets/keyring.js';
import { IdempotencyRepository, type Claim, type EarlierRequest } from './idempotency.repository.js';
import { requestHash } from './request-hash.js';

export interface RepeatableRequest extends Claim {
  orgcode: string;
}

const VISIBLE_ASCII_255 = /^[\x21-\x7e]{1,255}$/;

export function isIdempotencyKey(text: string | undefined): text is string {
  return text !== undefined && VISIBLE_ASCII_255.test(text);
}

/** The first successful answer to a key is the answer to every repetition, for 24 hours, in one organisation and route. */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly repository: IdempotencyRepository,
    private readonly keyring: Keyring,
  ) {}

  /** Undefined where the caller sent no key: then a repetition is a new request. */
  repeatableRequest(caller: Caller, request: { idempotency_key?: string }): RepeatableRequest | undefined {
    const { idempotency_key: inBody, ...body } = request;
    const key = caller.idempotencyKey ?? inBody;
    if (key === undefined) return undefined;
    if (!isIdempotencyKey(key) || (inBody !== undefined && inBody !== key))
      throw new AppError(platformErrors.idempotencyKeyInvalid);
    const credential = caller.fingerprint ?? caller.actor;
    return { orgcode: caller.orgcode, route: caller.call, key, requestHash: requestHash(body), credential };
  }

  /** The earlier answer, or undefined when the key is now ours and the work is to be done. */
  async claimOrReplay<Data extends object>(tx: Tx, request: RepeatableRequest): Promise<Answer<Data> | undefined> {
    if (await this.claim(tx, request)) return undefined;
    const earlier = await this.repository.find(tx, request.orgcode, request.route, request.key);
    if (!earlier?.answer) throw new AppError(platformErrors.idempotencyInFlight);
    if (!timingSafeEqual(earlier.requestHash, request.requestHash))
      throw new AppError(platformErrors.idempotencyKeyReused);
    const { data, stats, revision } = JSON.parse(this.plainAnswer(earlier, request)) as {
      data: Data;
      stats: Stats;
      revision?: string;
    };
    return new Answer(data, stats, revision, true);
  }

  /** A statement that keeps the answer, for the one that comes with it. */
  keeping(request: RepeatableRequest, { data, stats, revision }: Answer<object>, secretAnswer: boolean): SqlPart {
    const plain = JSON.stringify({ data, stats, revision });
    const answer = secretAnswer ? this.keyring.seal(plain, sealBinding(request)) : plain;
    return this.repository.answerKept(request.orgcode, request, answer, secretAnswer);
  }

  /** A twin still at work holds the key: we waited as long as connections wait for locks. */
  private async claim(tx: Tx, request: RepeatableRequest): Promise<boolean> {
    try {
      return await this.repository.claim(tx, request.orgcode, request);
    } catch (error) {
      throw isLockTimeout(error) ? new AppError(platformErrors.idempotencyInFlight, { cause: error }) : error;
    }
  }

  private plainAnswer({ answer, sealed, credential }: EarlierRequest, request: RepeatableRequest): string {
    if (!sealed) return answer ?? '';
    if (credential !== request.credential) throw new AppError(platformErrors.idempotencyAnswerSealed);
    return this.keyring.open(answer ?? '', sealBinding(request));
  }
}

function sealBinding({ orgcode, route, key, credential }: RepeatableRequest): string {
  return ['idempotent answer', orgcode, route, key, credential].join('|');
}
