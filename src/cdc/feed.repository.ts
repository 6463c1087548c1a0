import { Injectable } from '@nestjs/common';
import { Prisma } from '../generated/prisma/client.js';
import { Database } from '../platform/database/database.js';
import type { SystemTx } from '../platform/database/transaction.js';
import type { FeedFilters, FilteredColumns } from './feed-filters.js';
import type { StoredEvent } from './rendered-event.dto.js';

export interface FeedRow extends FilteredColumns, StoredEvent {}

/** An event with what subscriptions are matched against. */
export interface RecentEvent extends FeedRow {
  eventId: string;
  action: string;
}

/** The end of an organisation's log, and what retention has taken from its beginning. */
export interface LogEnds {
  head: bigint;
  droppedTo: bigint;
}

export interface Stretch {
  /** The last position that need not be looked at. */
  after: bigint;
  /** The first one past what is to be looked at. */
  before: bigint;
}

/** What was found of a stretch, in one snapshot. */
export interface StretchFound extends LogEnds {
  rows: FeedRow[];
  /** How many events were looked at where fewer were found than asked for, and the last of them. */
  scanned: number;
  scannedTo: bigint | null;
}

export interface ExportBounds {
  limit: number;
  maxBytes: number;
  scanLimit: number;
}

export interface ExportedStretch {
  events: StoredEvent[];
  /** The last position that was looked at. */
  seenTo: bigint;
  droppedTo: bigint;
}

const COLUMNS = Prisma.sql`e.position, e.recorded_at as "recordedAt", e.envelope, e.service, e.logical_guid as "logicalGuid",
  e.channel_code as "channelCode", (extract(epoch from e.occurred_at) * 1000000)::bigint as "occurredMicros"`;

/** The reading end of the log. */
@Injectable()
export class FeedRepository {
  constructor(private readonly database: Database) {}

  /**
   * Up to `limit` events of the stretch that pass, looking at no more than `scanLimit`, as one function (migration: feed_page).
   * What is said of the log's end, of what was looked at and of what was found must hold at one instant, or a reader could be led
   * past an event.
   */
  async stretch(
    orgcode: string,
    { after, before }: Stretch,
    filters: FeedFilters,
    limit: number,
    scanLimit: number,
  ): Promise<StretchFound> {
    if (Object.keys(filters).length === 0) return this.wholeStretch(orgcode, { after, before }, limit);
    const { service, logicalGuid, channelCode, fromMicros, toMicros } = filters;
    const found = await this.database.call<FeedRow & StretchFound>(orgcode, {
      name: 'ipm_feed_filtered_page',
      call: `ipm_feed_filtered_page(o.orgcode, $2, $3, $4, $5, $6, $7, $8, ${timeIn('$9')}, ${timeIn('$10')})`,
      values: [after, before, limit, scanLimit, service, logicalGuid, channelCode, fromMicros, toMicros],
    });
    const [{ head = 0n, droppedTo = 0n, scanned = 0, scannedTo = null } = {}] = found;
    return { rows: found.filter(({ envelope }) => envelope !== null), head, droppedTo, scanned, scannedTo };
  }

  /** The same where everything passes: a simpler statement. */
  async wholeStretch(orgcode: string, { after, before }: Stretch, limit: number): Promise<StretchFound> {
    const found = await this.database.call<FeedRow & LogEnds>(orgcode, {
      name: 'ipm_feed_page',
      call: 'ipm_feed_page(o.orgcode, $2, $3, $4)',
      values: [after, before, limit],
    });
    const [{ head = 0n, droppedTo = 0n } = {}] = found;
    return { rows: found.filter(({ envelope }) => envelope !== null), head, droppedTo, scanned: 0, scannedTo: null };
  }

  /** What passes of a stretch, up to a number and about so many bytes (migration: export_rows). */
  async exported(
    orgcode: string,
    { after, before }: Stretch,
    { service, fromMicros, toMicros }: FeedFilters,
    { limit, maxBytes, scanLimit }: ExportBounds,
  ): Promise<ExportedStretch> {
    const rows = await this.database.call<StoredEvent & Omit<ExportedStretch, 'events'>>(orgcode, {
      name: 'ipm_export_rows',
      call: `ipm_export_rows(o.orgcode, $2, $3, $4, $5, $6, $7, ${timeIn('$8')}, ${timeIn('$9')})`,
      values: [after, before, limit, maxBytes, scanLimit, service, fromMicros, toMicros],
    });
    const end = rows.pop();
    if (!end) throw new Error('ipm_export_rows ends with a row');
    return { events: rows, seenTo: end.seenTo, droppedTo: end.droppedTo };
  }

  async ends(orgcode: string): Promise<LogEnds> {
    const [ends] = await this.database.rows<LogEnds>(
      orgcode,
      Prisma.sql`select position as head, dropped_to as "droppedTo" from org_head where orgcode = ${orgcode}`,
    );
    return ends ?? { head: 0n, droppedTo: 0n };
  }

  /** Where the logs of several organisations end. */
  heads(tx: SystemTx, orgcodes: readonly string[]): Promise<{ orgcode: string; head: bigint }[]> {
    return tx.$queryRaw`select orgcode, position as head from org_head where orgcode = any(${[...orgcodes]})`;
  }

  /** Newest first. Both ends are given, so that only the partitions between them are opened. */
  backwards(orgcode: string, { after, before }: Stretch, limit: number): Promise<RecentEvent[]> {
    return this.database.rows(
      orgcode,
      Prisma.sql`select ${COLUMNS}, e.event_id as "eventId", e.action from event e
        where orgcode = ${orgcode} and position > ${after}::bigint and position < ${before}::bigint
        order by position desc limit ${limit}`,
    );
  }

  async at(orgcode: string, position: bigint): Promise<FeedRow | undefined> {
    const [row] = await this.database.rows<FeedRow>(
      orgcode,
      Prisma.sql`select ${COLUMNS} from event e where e.orgcode = ${orgcode} and e.position = ${position}
        and e.position > (select coalesce(max(dropped_to), 0) from org_head where orgcode = ${orgcode})`,
    );
    return row;
  }

  /** The newest event of that id: at the given time, or among the youngest `scanLimit` events by time. */
  async positionOf(
    orgcode: string,
    eventId: string,
    occurredAt: string | undefined,
    scanLimit: number,
  ): Promise<bigint | undefined> {
    const statement =
      occurredAt === undefined
        ? Prisma.sql`select position from (select occurred_at, event_id, position from event_key where orgcode = ${orgcode}
            order by occurred_at desc, event_id desc limit ${scanLimit}) k where event_id = ${eventId} order by occurred_at desc limit 1`
        : Prisma.sql`select position from event_key
            where orgcode = ${orgcode} and occurred_at = ${occurredAt}::timestamptz and event_id = ${eventId}`;
    const [row] = await this.database.rows<{ position: bigint }>(orgcode, statement);
    return row?.position;
  }
}

/** A parameter that counts microseconds, as a time: exact, which a floating point number of seconds would not be. */
function timeIn(parameter: string): string {
  return `timestamptz 'epoch' + ${parameter}::bigint * interval '1 microsecond'`;
}
