import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { SqlPart, SystemTx, Tx } from '../platform/database/transaction.js';

/** What is written; number, time and links of the chain come from the database (migration: audit_event_link). */
export interface NewAuditEvent {
  eventType: string;
  outcome: 'done' | 'refused';
  errorTag?: string | undefined;
  actor: string;
  claimedActor?: string | undefined;
  roles: readonly string[];
  contextSource: string;
  fingerprint?: string | undefined;
  resourceType?: string | undefined;
  resourceId?: string | undefined;
  before?: object | undefined;
  after?: object | undefined;
  reason?: string | undefined;
  sourceRefs?: object | undefined;
  requestId: string;
  traceId?: string | undefined;
  idempotencyKey?: string | undefined;
  cccode?: string | undefined;
  logicalGuid?: string | undefined;
  channelCode?: string | undefined;
}

export interface AuditRow {
  seq: bigint;
  audit_id: string;
  event_type: string;
  outcome: string;
  error_tag: string | null;
  actor: string;
  claimed_actor: string | null;
  roles: string[];
  context_source: string;
  fingerprint: string | null;
  resource_type: string | null;
  resource_id: string | null;
  before: object | null;
  after: object | null;
  reason: string | null;
  source_refs: object | null;
  request_id: string;
  trace_id: string | null;
  idempotency_key: string | null;
  cccode: string | null;
  recorded_at: Date;
  hash: Buffer;
}

export interface AuditFilters {
  event_type?: string | undefined;
  actor?: string | undefined;
  resource_type?: string | undefined;
  resource_id?: string | undefined;
  outcome?: string | undefined;
}

/** One stretch of a chain, checked by the database. */
export interface CheckedStretch {
  checked: number;
  lastSeq: bigint;
  lastHash: Uint8Array;
  /** The first number whose hash, link or place is not what it must be. */
  brokenSeq: bigint | null;
}

@Injectable()
export class AuditRepository {
  constructor(private readonly database: Database) {}

  /** `along` is done in the same statement. */
  async append(tx: Tx | SystemTx, orgcode: string, event: NewAuditEvent, along?: SqlPart): Promise<void> {
    const { before, after, sourceRefs, ...rest } = event;
    const json = (value: object | undefined): string | null => (value === undefined ? null : JSON.stringify(value));
    const {
      eventType,
      outcome,
      errorTag,
      actor,
      claimedActor,
      roles,
      contextSource,
      fingerprint,
      resourceType,
      resourceId,
    } = rest;
    const { reason, requestId, traceId, idempotencyKey, cccode, logicalGuid, channelCode } = rest;
    const first = along ? Prisma.sql`with along as (${along})` : Prisma.empty;
    await tx.$executeRaw`
      ${first} insert into audit_event (orgcode, event_type, outcome, error_tag, actor, claimed_actor, roles, context_source, fingerprint,
        resource_type, resource_id, before, after, reason, source_refs, request_id, trace_id, idempotency_key, cccode, logical_guid, channel_code)
      values (${orgcode}, ${eventType}, ${outcome}, ${errorTag}, ${actor}, ${claimedActor}, ${[...roles]}, ${contextSource}, ${fingerprint},
        ${resourceType}, ${resourceId}, ${json(before)}::jsonb, ${json(after)}::jsonb, ${reason}, ${json(sourceRefs)}::jsonb,
        ${requestId}, ${traceId}, ${idempotencyKey}, ${cccode}, ${logicalGuid}, ${channelCode})`;
  }

  /** Newest first; `beforeSeq` goes on after a page. */
  page(orgcode: string, filters: AuditFilters, beforeSeq: bigint | undefined, limit: number): Promise<AuditRow[]> {
    const conditions = [Prisma.sql`orgcode = ${orgcode}`];
    if (beforeSeq !== undefined) conditions.push(Prisma.sql`seq < ${beforeSeq}`);
    for (const [column, value] of Object.entries(filters)) {
      if (value !== undefined) conditions.push(Prisma.sql`${Prisma.raw(column)} = ${value}`);
    }
    return this.database.rows<AuditRow>(
      orgcode,
      Prisma.sql`
        select seq, audit_id, event_type, outcome, error_tag, actor, claimed_actor, roles, context_source, fingerprint,
          resource_type, resource_id, before, after, reason, source_refs, request_id, trace_id, idempotency_key, cccode, recorded_at, hash
        from audit_event where ${Prisma.join(conditions, ' and ')} order by seq desc limit ${limit}`,
    );
  }

  chainHead(tx: SystemTx, orgcode: string): Promise<{ seq: bigint; hash: Uint8Array } | null> {
    return tx.auditChain.findUnique({ where: { orgcode }, select: { seq: true, hash: true } });
  }

  /** Recomputes up to `limit` links after `afterSeq` inside Postgres, so that verifying moves no rows. */
  async checkStretch(
    tx: SystemTx,
    orgcode: string,
    afterSeq: bigint,
    afterHash: Uint8Array,
    limit: number,
  ): Promise<CheckedStretch> {
    const [stretch] = await tx.$queryRaw<[CheckedStretch]>`
      with stretch as (
        select e.seq, e.hash, audit_event_hash(e) as right_hash, e.previous_hash,
          lag(e.hash, 1, ${afterHash}::bytea) over (order by e.seq) as right_previous,
          ${afterSeq}::bigint + row_number() over (order by e.seq) as right_seq
        from audit_event e where e.orgcode = ${orgcode} and e.seq > ${afterSeq} order by e.seq limit ${limit})
      select count(*)::int as checked, coalesce(max(seq), ${afterSeq}::bigint) as "lastSeq",
        coalesce((array_agg(hash order by seq desc))[1], ${afterHash}::bytea) as "lastHash",
        min(seq) filter (where hash <> right_hash or previous_hash <> right_previous or seq <> right_seq) as "brokenSeq"
      from stretch`;
    return stretch;
  }
}
