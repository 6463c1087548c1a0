import { Injectable } from '@nestjs/common';
import { EventChecks } from '../catalog/event-checks.service.js';
import type { FieldProblem } from '../platform/errors/app-error.js';
import { eventErrors } from './cdc.errors.js';
import { envelopeText, MAX_EVENT_BYTES, type EventSurroundings } from './event-envelope.js';
import { mergeEntries } from './append-lane.js';
import { entryColumns, type LogEntry } from './event-log.repository.js';
import { judgeHistory, rejected, type Judgement, type PublishedEvent, type Rejection } from './published-event.js';

export {
  entryColumns,
  judgeHistory,
  mergeEntries,
  rejected,
  type Judgement,
  type LogEntry,
  type PublishedEvent,
  type Rejection,
};

/** Where the events of a batch come from: what their envelopes say beside what they say themselves. */
export interface EventSource extends Omit<EventSurroundings, 'flags' | 'context'> {
  contextOf: (event: PublishedEvent) => object;
}

/** One that may stand in the log, or why it may not. */
export type IntakeItem =
  { entry: LogEntry; flags: readonly string[]; problems: FieldProblem[] } | { rejection: Rejection };

export interface IntakeBatch {
  /** The state of the catalog that was asked. */
  catalogVersion: bigint;
  items: IntakeItem[];
}

/** From events of good form to entries of the log: checked against the catalog, redacted, put into their envelope. */
@Injectable()
export class EventIntake {
  constructor(private readonly checks: EventChecks) {}

  async take(judged: readonly Judgement[], source: EventSource): Promise<IntakeBatch> {
    const events = judged.flatMap((one) => ('event' in one ? [one.event] : []));
    const { catalogVersion, check } = await this.checks.forEvents(source.orgcode, events);
    const takeOne = (one: Judgement): IntakeItem => {
      if ('rejection' in one) return one;
      const { event, occurredAt } = one;
      const { payload, flags, problems, isRejected } = check(event);
      if (isRejected) return rejected(eventErrors.refusedByCatalog, problems);
      const envelope = envelopeText(event, payload, { ...source, flags, context: source.contextOf(event) });
      if (envelope.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(envelope) > MAX_EVENT_BYTES)
        return rejected(eventErrors.tooLarge);
      return { entry: entryOf(event, occurredAt, envelope), flags, problems };
    };
    return { catalogVersion, items: judged.map(takeOne) };
  }

  /** The catalog has changed since: the next batch reads it again. */
  forget(orgcode: string): void {
    this.checks.forget(orgcode);
  }

  isCurrent(orgcode: string, catalogVersion: bigint): Promise<boolean> {
    return this.checks.isCurrent(orgcode, catalogVersion);
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
