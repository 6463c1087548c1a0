import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import type { Db } from '../platform/database/transaction.js';
import { evidenceSql, freshnessSql, thresholdSql } from './operation-freshness.repository.js';
import type { OperationFailure, OperationOutcome, ReconciliationSource } from './operation-run.repository.js';
import type { OperationRunStatus } from './operation-run-lifecycle.js';
import type { FreshnessState } from './operations.dto.js';

export interface RunRow {
  id: number;
  type: string;
  status: OperationRunStatus;
  outcome: OperationOutcome | 'pending';
  freshness: FreshnessState;
  orgId: number | null;
  initiator: string;
  message: string | null;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  reconciledAt: Date | null;
}

export interface RunDetailRow extends RunRow {
  counts: Readonly<Record<string, number>>;
  failures: OperationFailure[];
  source: ReconciliationSource | null;
  reasonCode: string | null;
  reasonMessage: string | null;
  /** Of its reconciliation. */
  evidence: object | null;
  /** As it is now. */
  signs: object;
  thresholdSeconds: number;
}

export interface RunFilters {
  status?: OperationRunStatus | undefined;
  outcome?: OperationOutcome | 'pending' | undefined;
  type?: string | undefined;
  tenantId?: number | undefined;
  freshness?: FreshnessState | undefined;
  reconciled?: boolean | undefined;
}

export interface RunPage {
  rows: RunRow[];
  /** How far it looked where the bound ended it: what is older was not looked at. */
  lookedTo: number | undefined;
}

/** As many rows are looked at for a page: filters that hardly anything passes make a short page and not a long statement. */
const LOOKED_AT = 2_000;

const NOTHING: RunPage = { rows: [], lookedTo: undefined };

const LIST_COLUMNS = (): Prisma.Sql => Prisma.sql`
  r.id, r.type, r.status, r.outcome, ${freshnessSql()} as freshness, o.org_id as "orgId", r.initiator, r.message,
  r.created_at as "createdAt", r.started_at as "startedAt", r.completed_at as "completedAt", r.reconciled_at as "reconciledAt"`;

/** Runs as operators see them: all, or those of one organisation. */
@Injectable()
export class OperationViewRepository {
  /** Newest first, before an id. */
  async page(
    db: Db,
    orgcode: string | undefined,
    { tenantId, ...filters }: RunFilters,
    before: number | undefined,
    limit: number,
  ): Promise<RunPage> {
    // Asked for first, and not joined: of a name that the planner sees it knows whether its index is worth it.
    const named = tenantId === undefined ? orgcode : await this.orgcodeOf(db, tenantId);
    const isNobodys = (tenantId !== undefined && named === undefined) || (orgcode !== undefined && named !== orgcode);
    return isNobodys ? NOTHING : this.stretch(db, named, filters, before, limit);
  }

  private async orgcodeOf(db: Db, tenantId: number): Promise<string | undefined> {
    const [row] = await db.$queryRaw<{ orgcode: string }[]>`
      select orgcode from organisation where org_id = ${tenantId}::bigint`;
    return row?.orgcode;
  }

  private async stretch(
    db: Db,
    orgcode: string | undefined,
    filters: Omit<RunFilters, 'tenantId'>,
    before: number | undefined,
    limit: number,
  ): Promise<RunPage> {
    const stretch = [...stretchOf(orgcode, filters), ...(before === undefined ? [] : [Prisma.sql`r.id < ${before}`])];
    const found = await db.$queryRaw<(RunRow & { looked: number; lowest: number | null })[]>`
      with looked_at as (select * from operation_run r where ${all(stretch)} order by r.id desc limit ${LOOKED_AT})
      select b.looked, b.lowest, v.* from (select count(*)::int as looked, min(id) as lowest from looked_at) b
      left join lateral (
        select ${LIST_COLUMNS()} from looked_at r left join organisation o on o.orgcode = r.orgcode
        where ${all(passing(filters))} order by r.id desc limit ${limit}) v on true
      order by v.id desc`;
    const [first] = found;
    return {
      rows: found.filter(({ id }) => id !== null),
      lookedTo: first && first.looked === LOOKED_AT ? (first.lowest ?? undefined) : undefined,
    };
  }

  async find(db: Db, orgcode: string | undefined, id: number): Promise<RunDetailRow | undefined> {
    const whose = orgcode === undefined ? [] : [Prisma.sql`r.orgcode = ${orgcode}`];
    const [row] = await db.$queryRaw<RunDetailRow[]>`
      select ${LIST_COLUMNS()}, r.counts, r.failures, r.reconciliation_source as source, r.reason_code as "reasonCode",
        r.reason_message as "reasonMessage", r.evidence, ${evidenceSql()} as signs, ${thresholdSql()} as "thresholdSeconds"
      from operation_run r left join organisation o on o.orgcode = r.orgcode
      where ${all([Prisma.sql`r.id = ${id}::bigint`, ...whose])}`;
    return row;
  }
}

/** What leads to a stretch of one index: whose runs, and of the narrow classes one; else the type or the outcome. */
function stretchOf(orgcode: string | undefined, filters: Omit<RunFilters, 'tenantId'>): Prisma.Sql[] {
  const whose = orgcode === undefined ? [] : [Prisma.sql`r.orgcode = ${orgcode}`];
  if (filters.reconciled === true || filters.freshness === 'reconciled_failed')
    return [...whose, Prisma.sql`r.reconciled_at is not null`];
  if (isOpen(filters)) return [...whose, Prisma.sql`r.status <> 'completed'`];
  if (whose.length > 0) return whose;
  if (filters.type !== undefined) return [Prisma.sql`r.type = ${filters.type}`];
  return filters.outcome === undefined ? [] : [Prisma.sql`r.outcome = ${filters.outcome}`];
}

function isOpen({ status, outcome, freshness }: RunFilters): boolean {
  const isOpenStatus = status === 'queued' || status === 'running';
  return isOpenStatus || outcome === 'pending' || freshness === 'fresh_active' || freshness === 'likely_stale';
}

function passing({ status, outcome, type, freshness, reconciled }: RunFilters): Prisma.Sql[] {
  return [
    ...(status === undefined ? [] : [Prisma.sql`r.status = ${status}`]),
    ...(outcome === undefined ? [] : [Prisma.sql`r.outcome = ${outcome}`]),
    ...(type === undefined ? [] : [Prisma.sql`r.type = ${type}`]),
    ...(freshness === undefined ? [] : [Prisma.sql`${freshnessSql()} = ${freshness}`]),
    ...(reconciled === undefined ? [] : [Prisma.sql`(r.reconciled_at is not null) = ${reconciled}`]),
  ];
}

function all(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return conditions.length === 0 ? Prisma.sql`true` : Prisma.join([...conditions], ' and ');
}
