import { Injectable } from '@nestjs/common';
import type { FeedFilters } from './feed-filters.js';
import { FeedRepository } from './feed.repository.js';
import { LogLayout } from './log-layout.service.js';
import { renderedEvent } from './rendered-event.dto.js';

/** Of one read, which is a short transaction: rows that are looked at for a filter, and bytes of envelopes that are held in memory. */
const MAX_SCANNED = 4_000;
const MAX_BYTES = 2 * 1024 * 1024;
const PARTITIONS_AT_ONCE = 4;

export interface ExportedPage {
  /** An event each, as the feed shows it. */
  lines: string[];
  /** Everything up to here was seen. */
  cursor: bigint;
  isLast: boolean;
}

/** Retention has taken what was to be read. */
export class EventsExpired extends Error {}

/** The log as text, for who writes files. */
@Injectable()
export class LogExport {
  constructor(
    private readonly feed: FeedRepository,
    private readonly layout: LogLayout,
  ) {}

  /** The next events up to a position that the log has reached already. */
  async page(orgcode: string, filters: FeedFilters, after: bigint, to: bigint, limit: number): Promise<ExportedPage> {
    const stretch = await this.layout.next(after, filters, PARTITIONS_AT_ONCE);
    if (!stretch || stretch.after >= to) return { lines: [], cursor: to, isLast: true };
    const before = stretch.before > to ? to + 1n : stretch.before;
    const scanLimit = Object.keys(filters).length === 0 ? limit : MAX_SCANNED;
    const bounds = { limit, maxBytes: MAX_BYTES, scanLimit };
    const found = await this.feed.exported(orgcode, { after: stretch.after, before }, filters, bounds);
    if (found.droppedTo > after) throw new EventsExpired(`events of ${orgcode} up to ${found.droppedTo} are dropped`);
    const { events, seenTo } = found;
    return { lines: events.map(renderedEvent), cursor: seenTo, isLast: seenTo >= to };
  }
}
