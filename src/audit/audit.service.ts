import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { SqlPart, SystemTx, Tx } from '../platform/database/transaction.js';
import type { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import type { RequestContext, SourceRef } from '../platform/http/request.dto.js';
import { RefusalRecorder } from '../platform/http/authentication.hook.js';
import { isIdempotencyKey } from '../platform/idempotency/idempotency.service.js';
import { log } from '../platform/telemetry/logger.js';
import { AuditRepository, type NewAuditEvent } from './audit.repository.js';

/** What a write did, for the audit. States are as the wire shows them, so no secret is among them. */
export interface AuditFacts {
  resource: { type: string; id: string };
  before?: object;
  after?: object;
}

/** Why, on what grounds, and what the client claims of itself. */
export interface StatedGrounds {
  request_context?: RequestContext;
  reason?: string;
  source_refs?: SourceRef[];
  idempotency_key?: string;
}

@Injectable()
export class AuditService implements RefusalRecorder {
  constructor(
    private readonly database: Database,
    private readonly events: AuditRepository,
  ) {}

  /** In the transaction of the write, along with another statement if there is one. Appending locks the organisation's chain to the commit, so it comes last. */
  async recordDone(
    tx: Tx,
    caller: Caller,
    grounds: StatedGrounds,
    { resource, before, after }: AuditFacts,
    along?: SqlPart,
  ): Promise<void> {
    const done = { outcome: 'done', resourceType: resource.type, resourceId: resource.id, before, after } as const;
    await this.events.append(tx, caller.orgcode, { ...factsOf(caller, grounds), ...done }, along);
  }

  /** What IPM does by itself to what belongs to an organisation, in the transaction that does it. */
  async recordOwnAct(
    tx: SystemTx | Tx,
    orgcode: string,
    eventType: string,
    { reason, requestId, resource, before, after }: AuditFacts & { reason: string; requestId: string },
  ): Promise<void> {
    await this.events.append(tx, orgcode, {
      eventType,
      outcome: 'done',
      actor: 'ipm',
      roles: [],
      contextSource: 'system',
      requestId,
      reason,
      resourceType: resource.type,
      resourceId: resource.id,
      before,
      after,
    });
  }

  /** In a transaction of its own, since the refused one is gone. A refusal stands even if it cannot be recorded. */
  async refused(caller: Caller, error: AppError, grounds: StatedGrounds = {}): Promise<void> {
    const event: NewAuditEvent = { ...factsOf(caller, grounds), outcome: 'refused', errorTag: error.failure.tag };
    try {
      await this.database.transaction(caller.orgcode, (tx) => this.events.append(tx, caller.orgcode, event));
    } catch (failure) {
      const { call, requestId: request_id, traceId: trace_id } = caller;
      log.error(
        { request_id, trace_id, call, error_code: error.failure.tag, err: failure },
        'a refusal could not be audited',
      );
    }
  }
}

function factsOf(
  caller: Caller,
  { request_context, reason, source_refs, idempotency_key }: StatedGrounds,
): Omit<NewAuditEvent, 'outcome'> {
  return {
    eventType: caller.call,
    actor: caller.actor,
    claimedActor: request_context?.actor,
    roles: caller.roles,
    contextSource: caller.contextSource,
    fingerprint: caller.fingerprint,
    reason,
    sourceRefs: source_refs,
    requestId: caller.requestId,
    traceId: caller.traceId,
    idempotencyKey: [caller.idempotencyKey, idempotency_key].find(isIdempotencyKey),
    cccode: caller.cccode ?? request_context?.cccode,
    logicalGuid: request_context?.logical_guid,
    channelCode: request_context?.channel_code,
  };
}
