import { Injectable } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging, type PageScope } from '../platform/http/paging.js';
import { RenderedItems } from '../platform/http/rendered-items.js';
import { ArrivalWatch } from './arrival-watch.service.js';
import type { CdcGetRequest, CdcList, CdcListRequest } from './cdc.dto.js';
import { cdcErrors } from './cdc.errors.js';
import { canonicalTime } from './event-time.js';
import { feedFilters, filterKey, passes, type FeedFilterFields, type FeedFilters } from './feed-filters.js';
import { FeedRepository, type FeedRow, type LogEnds, type RecentEvent, type StretchFound } from './feed.repository.js';
import { LogLayout } from './log-layout.service.js';
import { renderedEvent } from './rendered-event.dto.js';

/** Events that one page looks at, however few of them pass: then it answers short, and goes on in the next. */
const MAX_SCANNED = 20_000;
const MAX_STRETCHES = 16;
const NEWEST_AT_ONCE = 100;
/** Keys that are searched for an event_id without a time. */
const MAX_SEARCHED_KEYS = 100_000;
/** As far as the database counts. */
const LAST_POSITION = 2n ** 63n - 1n;

export { feedFilters, type FeedFilterFields, type FeedFilters, type LogEnds };

export interface FeedPage {
  rows: FeedRow[];
  /** Everything up to here was seen, whether it passed or not. */
  cursor: bigint;
  /** The log goes on beyond what was looked at. */
  hasMore: boolean;
}

@Injectable()
export class FeedService {
  constructor(
    private readonly feed: FeedRepository,
    private readonly layout: LogLayout,
    private readonly paging: Paging,
    private readonly watch: ArrivalWatch,
  ) {}

  async list({ orgcode }: Caller, request: CdcListRequest): Promise<CdcList> {
    const filters = feedFilters(request);
    const scope = feedScope(orgcode, filters);
    const after = this.cursorIn(request.next_token, scope);
    const limit = clampLimit(request.limit);
    const page = await this.pageOrWait(orgcode, filters, after, limit, request.wait_ms ?? 0);
    return {
      items: new RenderedItems(page.rows.map(renderedEvent)),
      next_token: this.paging.tokenAt([String(page.cursor)], scope),
      has_more: page.hasMore,
    };
  }

  async get({ orgcode }: Caller, { position, event_id, occurred_at }: CdcGetRequest): Promise<{ position: string }> {
    const at = position === undefined ? await this.positionOf(orgcode, event_id, occurred_at) : positionIn(position);
    const row = at === undefined ? undefined : await this.feed.at(orgcode, at);
    if (!row) throw new AppError(cdcErrors.eventNotFound);
    return JSON.parse(renderedEvent(row)) as { position: string };
  }

  /** What passes after a position, oldest first. `after` undefined: from the first event that is kept. */
  async page(orgcode: string, filters: FeedFilters, after: bigint | undefined, limit: number): Promise<FeedPage> {
    const page: FeedPage = { rows: [], cursor: after ?? 0n, hasMore: false };
    for (let [stretches, scanned] = [1, 0]; ; stretches += 1) {
      // Twice as many partitions each time: a rare organisation's next event may lie far ahead.
      const stretch = await this.layout.next(page.cursor, filters, 2 ** (stretches - 1));
      if (!stretch) return { ...page, hasMore: false };
      const wanted = { rows: limit - page.rows.length, scan: MAX_SCANNED - scanned };
      const found = await this.feed.stretch(orgcode, stretch, filters, wanted.rows, wanted.scan);
      if (found.droppedTo > page.cursor) {
        if (after !== undefined) throw this.expired(orgcode, filters, found.droppedTo);
        Object.assign(page, { rows: [], cursor: found.droppedTo });
        continue;
      }
      page.rows.push(...found.rows);
      scanned += found.scanned;
      const isStretchDone = advance(page, stretch.before, found, wanted);
      page.hasMore = page.cursor < found.head;
      if (!isStretchDone || !page.hasMore || scanned >= MAX_SCANNED || stretches === MAX_STRETCHES) return page;
    }
  }

  /** Of the newest `limit` events those that passed, newest first; read a few at a time, because each may be large. */
  async *newest(orgcode: string, filters: FeedFilterFields, limit: number): AsyncGenerator<RecentEvent> {
    const wantedOnes = feedFilters(filters);
    const { head, droppedTo } = await this.feed.ends(orgcode);
    for (let [before, left] = [head + 1n, limit]; left > 0;) {
      const wanted = Math.min(left, NEWEST_AT_ONCE);
      const rows = await this.feed.backwards(orgcode, { after: droppedTo, before }, wanted);
      yield* rows.filter((row) => passes(row, wantedOnes));
      if (rows.length < wanted) return;
      before = rows.at(-1)?.position ?? 0n;
      left -= rows.length;
    }
  }

  /** A page with filters as a request has them. */
  pageIn(orgcode: string, fields: FeedFilterFields, after: bigint | undefined, limit: number): Promise<FeedPage> {
    return this.page(orgcode, feedFilters(fields), after, limit);
  }

  /** The last position that there is, and the last one that is no more. */
  ends(orgcode: string): Promise<LogEnds> {
    return this.feed.ends(orgcode);
  }

  /** Throws where retention has taken what comes after the position. */
  assertKept(orgcode: string, filters: FeedFilters, after: bigint, { droppedTo }: LogEnds): void {
    if (after < droppedTo) throw this.expired(orgcode, filters, droppedTo);
  }

  cursorIn(token: object | undefined, scope: PageScope): bigint | undefined {
    const [position] = this.paging.positionAfter(token, scope) ?? [];
    return position === undefined ? undefined : BigInt(position);
  }

  private async pageOrWait(
    orgcode: string,
    filters: FeedFilters,
    after: bigint | undefined,
    limit: number,
    waitMs: number,
  ): Promise<FeedPage> {
    if (waitMs === 0) return this.page(orgcode, filters, after, limit);
    const deadlineMs = Date.now() + waitMs;
    const bell = this.watch.enter(orgcode); // before the look: what arrives after it rings
    try {
      for (let cursor = after; ;) {
        const page = await this.page(orgcode, filters, cursor, limit);
        if (page.rows.length > 0 || page.hasMore) return page;
        const leftMs = deadlineMs - Date.now();
        if (leftMs <= 0 || !(await bell.rung(leftMs))) return page; // it may ring faster than a page is read
        cursor = page.cursor;
      }
    } finally {
      bell.leave();
    }
  }

  private async positionOf(
    orgcode: string,
    eventId: string | undefined,
    occurredAt: string | undefined,
  ): Promise<bigint | undefined> {
    if (eventId === undefined) throw new AppError(cdcErrors.eventNotNamed);
    const time = occurredAt === undefined ? undefined : canonicalTime(occurredAt);
    return this.feed.positionOf(orgcode, eventId, time, MAX_SEARCHED_KEYS);
  }

  private expired(orgcode: string, filters: FeedFilters, droppedTo: bigint): AppError {
    const earliest_token = this.paging.tokenAt([String(droppedTo)], feedScope(orgcode, filters));
    return new AppError(cdcErrors.tokenExpired, { details: { earliest_token } });
  }
}

/** One family: what reads the log with the same filters takes each other's tokens. */
export function feedScope(orgcode: string, filters: FeedFilters): PageScope {
  return { orgcode, list: 'feed', filters: filterKey(filters) };
}

/**
 * Moves the cursor over what was seen; true if the stretch is done. Positions are drawn under the organisation's lock, so all up to
 * its head were visible in the snapshot, and none beyond may be passed over.
 */
function advance(
  page: FeedPage,
  before: bigint,
  { rows, head, scanned, scannedTo }: StretchFound,
  wanted: { rows: number; scan: number },
): boolean {
  const last = rows.at(-1);
  if (last && rows.length === wanted.rows) {
    page.cursor = last.position;
    return false;
  }
  const isCutShort = scanned >= wanted.scan && scannedTo !== null;
  const seen = isCutShort ? scannedTo : head < before - 1n ? head : before - 1n;
  if (seen > page.cursor) page.cursor = seen;
  return !isCutShort;
}

function positionIn(text: string): bigint | undefined {
  const position = /^[1-9]\d{0,18}$/.test(text) ? BigInt(text) : undefined;
  return position !== undefined && position <= LAST_POSITION ? position : undefined;
}
