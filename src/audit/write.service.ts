import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { statsOf } from '../platform/http/stats.js';
import { IdempotencyService, type RepeatableRequest } from '../platform/idempotency/idempotency.service.js';
import { OwnEvents, type OwnEvent } from '../cdc/own-events.service.js';
import { AuditService, type AuditFacts, type StatedGrounds } from './audit.service.js';

/** What a use case hands back from inside its transaction. */
export interface Written<Data extends object> {
  data: Data;
  /** Set when `data` is one revisioned record. */
  revision?: string;
  audit: AuditFacts;
  /** What others may want to hear of it: goes into the organisation's log in the same transaction. */
  events?: readonly OwnEvent[];
  /**
   * Done last, for what others would wait for to the commit. Where there are events the organisation's log stands still already, and
   * their positions are told.
   */
  last?: (tx: Tx, positions: readonly bigint[]) => Promise<void>;
}

export interface WriteOptions {
  /** The answer holds a secret: kept sealed, and given again only to the credential that asked first. */
  secretAnswer?: boolean;
  /** Judged before the transaction, so that slow thinking holds no connection; a refusal is audited like any other. */
  precondition?: () => void;
}

/**
 * The one way to change something on a caller's behalf: idempotency claim, the change, its audit event and the stored answer
 * in one transaction. A refusal rolls all of it back and is audited by itself.
 */
@Injectable()
export class WriteService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: IdempotencyService,
    private readonly audit: AuditService,
    private readonly ownEvents: OwnEvents,
  ) {}

  async once<Data extends object>(
    caller: Caller,
    request: StatedGrounds & object,
    work: (tx: Tx) => Promise<Written<Data>>,
    options: WriteOptions = {},
  ): Promise<Answer<Data>> {
    const repeatable = this.idempotency.repeatableRequest(caller, request);
    try {
      assertOwnContext(caller, request);
      options.precondition?.();
      let hasEvents = false;
      const noted = async (tx: Tx): Promise<Written<Data>> => {
        const written = await work(tx);
        hasEvents = (written.events ?? []).length > 0;
        return written;
      };
      const answer = await this.database.transaction(caller.orgcode, (tx) =>
        this.claimAndWrite(tx, caller, request, repeatable, noted, options),
      );
      if (hasEvents) this.ownEvents.announce(caller.orgcode);
      return answer;
    } catch (error) {
      if (error instanceof AppError && error.failure.status < 500) await this.audit.refused(caller, error, request);
      throw error;
    }
  }

  /**
   * For work that calls somebody outside, which no transaction may wait for: it is done first and then written down. A repetition is
   * answered without doing it again; two callers with one key at the same moment both do it, and get one answer.
   */
  async onceAfter<Done, Data extends object>(
    caller: Caller,
    request: StatedGrounds & object,
    outside: () => Promise<Done>,
    work: (tx: Tx, done: Done) => Promise<Written<Data>>,
  ): Promise<Answer<Data>> {
    let done: Done;
    try {
      assertOwnContext(caller, request);
      const earlier = await this.earlier<Data>(caller, request);
      if (earlier) return earlier;
      done = await outside();
    } catch (error) {
      if (error instanceof AppError && error.failure.status < 500) await this.audit.refused(caller, error, request);
      throw error;
    }
    return this.once(caller, request, (tx) => work(tx, done));
  }

  private async earlier<Data extends object>(
    caller: Caller,
    request: StatedGrounds & object,
  ): Promise<Answer<Data> | undefined> {
    const repeatable = this.idempotency.repeatableRequest(caller, request);
    if (!repeatable) return undefined;
    try {
      return await this.database.transaction(caller.orgcode, async (tx) => {
        const answer = await this.idempotency.claimOrReplay<Data>(tx, repeatable);
        if (!answer) throw new NotYetAnswered(); // and with it goes the claim
        return answer;
      });
    } catch (error) {
      if (error instanceof NotYetAnswered) return undefined;
      throw error;
    }
  }

  private async claimAndWrite<Data extends object>(
    tx: Tx,
    caller: Caller,
    request: StatedGrounds & object,
    repeatable: RepeatableRequest | undefined,
    work: (tx: Tx) => Promise<Written<Data>>,
    { secretAnswer = false }: WriteOptions,
  ): Promise<Answer<Data>> {
    const earlier = repeatable && (await this.idempotency.claimOrReplay<Data>(tx, repeatable));
    if (earlier) return earlier;
    const { data, revision, audit, events = [], last } = await work(tx);
    const answer = new Answer(data, statsOf(caller, request.request_context), revision);
    const keeping = repeatable && this.idempotency.keeping(repeatable, answer, secretAnswer);
    await this.audit.recordDone(tx, caller, request, audit, keeping);
    const positions = await this.ownEvents.append(tx, caller, request, events); // holds the organisation's log to the commit
    await last?.(tx, positions);
    return answer;
  }
}

class NotYetAnswered extends Error {}

/** The body's context is a claim: it may say nothing else than the verified headers do. */
export function assertOwnContext(caller: Caller, { request_context }: StatedGrounds): void {
  if (!request_context) return;
  if (request_context.orgcode !== caller.orgcode) throw new AppError(platformErrors.contextMismatch);
  const claimed = request_context.cccode;
  if (claimed !== undefined && caller.cccode !== undefined && claimed !== caller.cccode)
    throw new AppError(platformErrors.cccodeMismatch);
}
