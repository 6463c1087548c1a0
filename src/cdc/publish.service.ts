import { Injectable } from '@nestjs/common';
import { assertOwnContext } from '../audit/write.service.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { Caller } from '../platform/http/caller.js';
import { verifiedContext } from '../platform/http/verified-context.js';
import type { PublishRequest, PublishResult, PublishedItem } from './cdc.dto.js';
import { CatalogMoved, EventAppender } from './event-appender.service.js';
import { EventCounters } from './event-counters.service.js';
import type { EventOrigin } from './event-envelope.js';
import { EventIntake, type EventSource, type IntakeItem } from './event-intake.service.js';
import type { Appended, LogEntry } from './event-log.repository.js';
import { judgeForm, type Rejection } from './published-event.js';

/** A catalog that changes under us again and again is somebody's loop. */
const MAX_CHECKS = 5;

@Injectable()
export class PublishService {
  constructor(
    private readonly intake: EventIntake,
    private readonly appender: EventAppender,
    private readonly counters: EventCounters,
  ) {}

  /** Judges each event by itself and appends those that may stand. When it answers, they are durable. */
  async publish(caller: Caller, request: PublishRequest, origin: EventOrigin = 'publish'): Promise<PublishResult> {
    assertOwnContext(caller, request);
    const nowMs = Date.now();
    const judged = request.events.map((event) => judgeForm(event, caller.orgcode, nowMs));
    const source = sourceOf(caller, request, origin);
    for (let attempt = 1; ; attempt += 1) {
      const { catalogVersion, items } = await this.intake.take(judged, source);
      const entries = items.flatMap((item) => ('entry' in item ? [item.entry] : []));
      try {
        const appended = await this.append(caller.orgcode, entries, catalogVersion);
        const result = resultOf(request.events, items, appended);
        this.counters.published(result);
        return result;
      } catch (error) {
        if (!(error instanceof CatalogMoved)) throw error;
        if (attempt === MAX_CHECKS) throw new AppError(platformErrors.databaseBusy, { cause: error });
        this.intake.forget(caller.orgcode);
      }
    }
  }

  private async append(orgcode: string, entries: readonly LogEntry[], catalogVersion: bigint): Promise<Appended[]> {
    if (entries.length > 0) return this.appender.append(orgcode, entries, catalogVersion);
    // The log is not asked: a catalog that has changed since might take what this one rejects.
    if (!(await this.intake.isCurrent(orgcode, catalogVersion))) throw new CatalogMoved();
    return [];
  }
}

function sourceOf(caller: Caller, request: PublishRequest, origin: EventOrigin): EventSource {
  const shared = verifiedContext(caller, request.request_context);
  return {
    orgcode: caller.orgcode,
    origin,
    reason: request.reason,
    source_refs: request.source_refs,
    traceparent: caller.traceparent,
    contextOf: ({ request_context }) => (request_context ? verifiedContext(caller, request_context) : shared),
  };
}

function resultOf(
  given: readonly unknown[],
  items: readonly IntakeItem[],
  appended: readonly Appended[],
): PublishResult {
  const counts = { accepted: 0, duplicate: 0, rejected: 0 };
  let next = 0;
  const shown = items.map((item, index): PublishedItem => {
    const event_id = idIn(given[index]);
    const named = event_id === undefined ? { index } : { index, event_id };
    if ('rejection' in item) {
      counts.rejected += 1;
      return { ...named, status: 'rejected', error: wireError(item.rejection) };
    }
    const found = appended[next];
    next += 1;
    if (!found) throw new Error('the log answered fewer events than it was given');
    const status = found.duplicate ? 'duplicate' : 'accepted';
    counts[status] += 1;
    const flagged = item.flags.length > 0 ? { flags: [...item.flags], warnings: item.problems } : {};
    return { ...named, status, position: String(found.position), pushed: found.pushed, ...flagged };
  });
  return { ...counts, items: shown };
}

function wireError({ error, fields }: Rejection): PublishedItem['error'] {
  return { error_code: error.tag, message: error.message, ...(fields.length > 0 ? { fields } : {}) };
}

function idIn(item: unknown): string | undefined {
  const id = (item as { event_id?: unknown } | null)?.event_id;
  return typeof id === 'string' ? id.slice(0, 128) : undefined;
}
