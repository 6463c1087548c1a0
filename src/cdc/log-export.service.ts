import { Injectable } from '@nestjs/common';
import type { FeedFilters } from './feed-filters.js';
import { FeedRepository } from './feed.repository.js';
import { LogLayout } from './log-layout.service.js';

/** Of one read, which is a short transaction: rows that are looked at for a filter, and text that is held in memory. */
const MAX_SCANNED = 4_000;
const MAX_BYTES = 2 * 1024 * 1024;
const PARTITIONS_AT_ONCE = 4;
/** Where the database has put what the log adds behind an envelope (migration: bulk). */
const JOINT = Buffer.from('}\u0001');

export interface ExportedPage {
  records: number;
  /** One event a line, as the feed shows it. */
  lines: Buffer;
  /** Everything up to here was seen. */
  cursor: bigint;
  isLast: boolean;
}

/** Retention has taken what was to be read. */
export class EventsExpired extends Error {}

/** The log as text, for who writes files: the database renders it, because thousands of events a second would wait for us. */
@Injectable()
export class LogExport {
  constructor(
    private readonly feed: FeedRepository,
    private readonly layout: LogLayout,
  ) {}

  /** The next events up to a position that the log has reached already. */
  async page(orgcode: string, filters: FeedFilters, after: bigint, to: bigint, limit: number): Promise<ExportedPage> {
    const stretch = await this.layout.next(after, filters, PARTITIONS_AT_ONCE);
    if (!stretch || stretch.after >= to) return { records: 0, lines: Buffer.alloc(0), cursor: to, isLast: true };
    const before = stretch.before > to ? to + 1n : stretch.before;
    const scanLimit = Object.keys(filters).length === 0 ? limit : MAX_SCANNED;
    const bounds = { limit, maxBytes: MAX_BYTES, scanLimit };
    const found = await this.feed.exported(orgcode, { after: stretch.after, before }, filters, bounds);
    if (found.droppedTo > after) throw new EventsExpired(`events of ${orgcode} up to ${found.droppedTo} are dropped`);
    const { records, cursor, lines } = found;
    return { records, cursor, lines: withoutJoints(lines), isLast: cursor >= to };
  }
}

/** The bytes are moved together where they are: a search in the text would cost as much as the rest of the export. */
function withoutJoints(lines: string): Buffer {
  const bytes = Buffer.from(lines);
  let [written, from] = [0, 0];
  for (let at = bytes.indexOf(JOINT); at !== -1; at = bytes.indexOf(JOINT, from)) {
    bytes.copyWithin(written, from, at);
    written += at - from;
    from = at + JOINT.length;
  }
  bytes.copyWithin(written, from);
  return bytes.subarray(0, written + bytes.length - from);
}
