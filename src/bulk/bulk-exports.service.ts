import { Injectable } from '@nestjs/common';
import { WriteService, type Written } from '../audit/write.service.js';
import { EventHolds } from '../cdc/event-holds.service.js';
import { feedFilters, FeedService, feedScope, type FeedFilterFields, type LogEnds } from '../cdc/feed.service.js';
import type { Tx } from '../platform/database/transaction.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import type { IdempotentWriteRequest } from '../platform/http/request.dto.js';
import { exportHolder, GZIP_TYPE, NDJSON_TYPE, newPrefix } from './bulk-files.js';
import type { BulkJobRecord } from './bulk-job.repository.js';
import { DEFAULT_EXPORT_RECORDS } from './bulk-limits.js';
import { BulkOrders, type OrderedJob } from './bulk-orders.service.js';
import type { BulkExportContinueRequest, BulkExportCreateRequest, BulkJobData } from './bulk.dto.js';

/** What an export of a position on has of the log. */
interface ExportRange {
  contentType: string;
  filter: FeedFilterFields;
  maxRecords: number;
  /** The last position that is not in it; undefined for the beginning of what is kept. */
  after: bigint | undefined;
  ends: LogEnds;
  continues?: string;
}

/** Exports as they are ordered: what the log holds at that moment and passes the filter, from a cursor on. */
@Injectable()
export class BulkExports {
  constructor(
    private readonly writes: WriteService,
    private readonly feed: FeedService,
    private readonly holds: EventHolds,
    private readonly orders: BulkOrders,
  ) {}

  async create(caller: Caller, request: BulkExportCreateRequest): Promise<Answer<BulkJobData>> {
    const { service, from_utc, to_utc, max_records, cursor, gzip } = request;
    const filter = { service, from_utc, to_utc };
    const ends = await this.feed.ends(caller.orgcode); // on a connection of its own: not inside the transaction
    return this.writes.once(caller, request, (tx) =>
      this.order(tx, caller, request, request.job_id, {
        contentType: gzip ? GZIP_TYPE : NDJSON_TYPE,
        filter,
        maxRecords: max_records ?? DEFAULT_EXPORT_RECORDS,
        after: this.feed.cursorIn(cursor, feedScope(caller.orgcode, feedFilters(filter))),
        ends,
      }),
    );
  }

  async continue(caller: Caller, request: BulkExportContinueRequest): Promise<Answer<BulkJobData>> {
    const ends = await this.feed.ends(caller.orgcode);
    return this.writes.once(caller, request, async (tx) => {
      const source = await this.orders.ended(tx, caller.orgcode, request.job_id, 'export');
      return this.order(tx, caller, request, request.new_job_id, {
        contentType: source.contentType,
        filter: filterOf(source),
        maxRecords: request.max_records ?? source.maxRecords ?? DEFAULT_EXPORT_RECORDS,
        after: (source.status === 'completed' ? source.position : source.startPosition) ?? undefined,
        continues: source.jobId,
        ends,
      });
    });
  }

  private async order(
    tx: Tx,
    caller: Caller,
    request: IdempotentWriteRequest,
    wantedId: string | undefined,
    { contentType, filter, maxRecords, after, continues, ends }: ExportRange,
  ): Promise<Written<BulkJobData>> {
    if (after !== undefined) this.feed.assertKept(caller.orgcode, feedFilters(filter), after, ends);
    const startPosition = after ?? ends.droppedTo;
    const job: OrderedJob = {
      jobType: 'export',
      status: 'queued',
      contentType,
      prefix: newPrefix(),
      continues: continues ?? null,
      service: filter.service ?? null,
      fromUtc: filter.from_utc ?? null,
      toUtc: filter.to_utc ?? null,
      maxRecords,
      startPosition,
      endPosition: ends.head,
      position: startPosition,
    };
    const record = await this.orders.insert(tx, caller, request, wantedId, job);
    await this.holds.hold(tx, caller.orgcode, exportHolder(record.jobId), startPosition);
    return this.orders.written(record);
  }
}

function filterOf({ service, fromUtc, toUtc }: BulkJobRecord): FeedFilterFields {
  return { service: service ?? undefined, from_utc: fromUtc ?? undefined, to_utc: toUtc ?? undefined };
}
