import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { bulkSearch } from './bulk-act-search.js';
import type { BulkAct, BulkActFilter, BulkActRequest, BulkCount, BulkCountRequest } from './bulk-act.dto.js';
import { BulkActRepository, type BulkActRecord } from './bulk-act.repository.js';
import { DeadLetterRepository } from './dead-letter.repository.js';
import { operatorSafe } from './operator-redaction.js';
import { operatorErrors } from './operator.errors.js';

const COUNTED_AT_MOST = 100_000;

/** Acts on many dead letters: counted and ordered here, worked off by workers. */
@Injectable()
export class BulkActOrders {
  constructor(
    private readonly database: Database,
    private readonly bulkActs: BulkActRepository,
    private readonly letters: DeadLetterRepository,
  ) {}

  /** What an order would mean now, counted up to a bound; the order itself counts to the end before it does anything. */
  async count({ act, filter }: BulkCountRequest): Promise<BulkCount> {
    assertOneOrganisation(filter);
    const search = bulkSearch(act, filter, new Date());
    const found = await this.database.acrossOrganisations('dead letters', (tx) =>
      this.letters.count(tx, search, COUNTED_AT_MOST + 1),
    );
    return { matched: Math.min(found, COUNTED_AT_MOST), isAtLeast: found > COUNTED_AT_MOST };
  }

  async order({ act, filter, reason }: BulkActRequest): Promise<BulkAct> {
    assertOneOrganisation(filter);
    const order = { act, filter, reason: operatorSafe(reason) ?? null };
    return bulkActToWire(
      await this.database.acrossOrganisations('dead letters', (tx) => this.bulkActs.insert(tx, order)),
    );
  }

  async get(id: string): Promise<BulkAct> {
    const record = await this.database.acrossOrganisations('dead letters', (tx) => this.bulkActs.find(tx, id));
    if (!record) throw new AppError(operatorErrors.bulkActNotFound);
    return bulkActToWire(record);
  }

  /** What is done stays done. */
  async cancel(id: string): Promise<BulkAct> {
    await this.database.acrossOrganisations('dead letters', (tx) => this.bulkActs.askToCancel(tx, id));
    return this.get(id);
  }
}

/** A webhook's id is its organisation's own. */
function assertOneOrganisation({ orgcode, webhookId }: BulkActFilter): void {
  if (webhookId !== undefined && orgcode === undefined)
    throw new AppError(platformErrors.requestInvalid, { fields: [{ path: 'filter.orgcode', tag: 'required' }] });
}

function bulkActToWire(record: BulkActRecord): BulkAct {
  const { bulkActId, outcome, matched, done, cancelAsked, operationRunId, createdAt, updatedAt } = record;
  return {
    bulkActId,
    act: record.act as BulkAct['act'],
    filter: record.filter as object,
    status: record.status as BulkAct['status'],
    ...(outcome !== null && { outcome: outcome as NonNullable<BulkAct['outcome']> }),
    matched,
    done,
    skipped: record.skipped as Record<string, number>,
    cancelAsked,
    ...(operationRunId !== null && { operationRunId }),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
