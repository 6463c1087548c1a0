import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import type { Db } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { OperatorCaller } from '../platform/http/caller.js';
import { clampLimit, Paging, type PageScope } from '../platform/http/paging.js';
import { OperationViewRepository, type RunFilters, type RunPage } from './operation-view.repository.js';
import type { OperationRunDetail, OperationRunFilters, OperationRunPage } from './operations.dto.js';
import { operationErrors } from './operations.errors.js';
import { runDetailToWire, runToWire } from './operations.mapper.js';
import { operationsRoom } from './operations-room.js';

/** Runs as operators see them, who see all, and as members of an organisation do, who see theirs. */
@Injectable()
export class OperationView {
  constructor(
    private readonly database: Database,
    private readonly runs: OperationViewRepository,
    private readonly paging: Paging,
    private readonly configuration: Configuration,
  ) {}

  async list(
    operator: OperatorCaller,
    { limit: wanted, cursor, ...filters }: OperationRunFilters,
  ): Promise<OperationRunPage> {
    const limit = clampLimit(wanted === undefined ? undefined : Number(wanted));
    const scope: PageScope = { orgcode: operator.orgcode ?? '', list: operationsRoom.path, filters: { ...filters } };
    const [before] = this.paging.positionAfter(cursor === undefined ? undefined : { token: cursor }, scope) ?? [];
    const page = await this.read(operator, (db) =>
      this.runs.page(
        db,
        operator.orgcode,
        asked(filters),
        before === undefined ? undefined : Number(before),
        limit + 1,
      ),
    );
    const next = goesOnAfter(page, limit);
    const nextCursor = next === undefined ? undefined : this.cursorAt(next, scope);
    const data = page.rows.slice(0, limit).map(runToWire);
    return {
      data,
      meta: {
        limit,
        count: data.length,
        has_more: nextCursor !== undefined,
        ...(nextCursor !== undefined && { next_cursor: nextCursor }),
        links: {
          self: this.link({ ...filters, limit: wanted, cursor }),
          first: this.link({ ...filters, limit: wanted }),
          ...(nextCursor !== undefined && { next: this.link({ ...filters, limit: wanted, cursor: nextCursor }) }),
        },
      },
    };
  }

  async get(operator: OperatorCaller, id: string): Promise<OperationRunDetail> {
    const row = /^\d{1,15}$/.test(id)
      ? await this.read(operator, (db) => this.runs.find(db, operator.orgcode, Number(id)))
      : undefined;
    if (!row) throw new AppError(operationErrors.notFound);
    return runDetailToWire(row);
  }

  private read<T>({ orgcode }: OperatorCaller, work: (db: Db) => Promise<T>): Promise<T> {
    return orgcode === undefined
      ? this.database.acrossOrganisations('operator view', work)
      : this.database.read(orgcode, work);
  }

  private cursorAt(id: number, scope: PageScope): string {
    return (this.paging.tokenAt([id], scope) as { token: string }).token;
  }

  private link(parameters: Readonly<Record<string, string | undefined>>): string {
    const said = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const query = new URLSearchParams(said).toString();
    return `${this.configuration.publicUrl}${operationsRoom.path}${query && `?${query}`}`;
  }
}

function asked({ tenant_id, freshness_state, reconciled, ...same }: OperationRunFilters): RunFilters {
  return {
    ...same,
    tenantId: tenant_id === undefined ? undefined : Number(tenant_id),
    freshness: freshness_state,
    reconciled: reconciled === undefined ? undefined : reconciled === 'true',
  };
}

/** The id after which the next page begins: the last one shown, or the last one looked at. */
function goesOnAfter({ rows, lookedTo }: RunPage, limit: number): number | undefined {
  return rows.length > limit ? rows[limit - 1]?.id : lookedTo;
}
