import { Injectable } from '@nestjs/common';
import { assertOwnContext } from '../audit/write.service.js';
import { EventChecks, type BatchChecks } from '../catalog/event-checks.service.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { Caller } from '../platform/http/caller.js';
import { verifiedContext } from '../platform/http/verified-context.js';
import type { PublishRequest, PublishResult, PublishedItem } from './cdc.dto.js';
import { eventErrors } from './cdc.errors.js';
import { CatalogMoved, EventAppender } from './event-appender.service.js';
import { envelopeText, MAX_EVENT_BYTES, type EventOrigin } from './event-envelope.js';
import type { Appended, LogEntry } from './event-log.repository.js';
import { judgeForm, rejected, type Judgement, type PublishedEvent, type Rejection } from './published-event.js';

/** A catalog that changes under us again and again is somebody's loop. */
const MAX_CHECKS = 5;

type Prepared =
  { entry: LogEntry; flags: readonly string[]; problems: PublishedItem['warnings'] } | { rejection: Rejection };

@Injectable()
export class PublishService {
  constructor(
    private readonly checks: EventChecks,
    private readonly appender: EventAppender,
  ) {}

  /** Judges each event by itself and appends those that may stand. When it answers, they are durable. */
  async publish(caller: Caller, request: PublishRequest, origin: EventOrigin = 'publish'): Promise<PublishResult> {
    assertOwnContext(caller, request);
    const nowMs = Date.now();
    const judged = request.events.map((event) => judgeForm(event, caller.orgcode, nowMs));
    for (let attempt = 1; ; attempt += 1) {
      const prepared = await this.prepare(caller, request, judged, origin);
      const { checks, items } = prepared;
      const entries = items.flatMap((item) => ('entry' in item ? [item.entry] : []));
      try {
        return resultOf(request.events, items, await this.append(caller.orgcode, entries, checks.catalogVersion));
      } catch (error) {
        if (!(error instanceof CatalogMoved)) throw error;
        if (attempt === MAX_CHECKS) throw new AppError(platformErrors.databaseBusy, { cause: error });
        this.checks.forget(caller.orgcode);
      }
    }
  }

  private async append(orgcode: string, entries: readonly LogEntry[], catalogVersion: bigint): Promise<Appended[]> {
    if (entries.length > 0) return this.appender.append(orgcode, entries, catalogVersion);
    // The log is not asked: a catalog that has changed since might take what this one rejects.
    if (!(await this.checks.isCurrent(orgcode, catalogVersion))) throw new CatalogMoved();
    return [];
  }

  private async prepare(
    caller: Caller,
    request: PublishRequest,
    judged: readonly Judgement[],
    origin: EventOrigin,
  ): Promise<{ checks: BatchChecks; items: Prepared[] }> {
    const events = judged.flatMap((one) => ('event' in one ? [one.event] : []));
    const checks = await this.checks.forEvents(caller.orgcode, events);
    const shared = verifiedContext(caller, request.request_context);
    const prepareOne = (one: Judgement): Prepared => {
      if ('rejection' in one) return one;
      const { event, occurredAt } = one;
      const { payload, flags, problems, isRejected } = checks.check(event);
      if (isRejected) return rejected(eventErrors.refusedByCatalog, problems);
      const envelope = envelopeText(event, payload, {
        orgcode: caller.orgcode,
        origin,
        flags,
        context: event.request_context ? verifiedContext(caller, event.request_context) : shared,
        reason: request.reason,
        source_refs: request.source_refs,
      });
      if (envelope.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(envelope) > MAX_EVENT_BYTES)
        return rejected(eventErrors.tooLarge);
      return { entry: entryOf(event, occurredAt, envelope), flags, problems };
    };
    return { checks, items: judged.map(prepareOne) };
  }
}

function entryOf(event: PublishedEvent, occurredAt: string, envelope: string): LogEntry {
  return {
    eventId: event.event_id,
    occurredAt,
    service: event.service,
    action: event.action,
    logicalGuid: event.logical_guid ?? null,
    channelCode: event.channel_code ?? null,
    envelope,
  };
}

function resultOf(given: readonly unknown[], items: readonly Prepared[], appended: readonly Appended[]): PublishResult {
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
