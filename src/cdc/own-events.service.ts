import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';
import type { Caller } from '../platform/http/caller.js';
import type { RequestContext, SourceRef } from '../platform/http/request.dto.js';
import { verifiedContext } from '../platform/http/verified-context.js';
import { Arrivals } from './arrivals.service.js';
import { EventAppender } from './event-appender.service.js';
import { envelopeText, type EventSurroundings } from './event-envelope.js';
import { canonicalTime } from './event-time.js';
import { OWN_SERVICE } from './published-event.js';

export { OWN_SERVICE };

/** Something that IPM itself did, for those who subscribe to the service `ipm`. catalog/events/ipm describes each action. */
export interface OwnEvent {
  action: string;
  resource: { type: string; id: string };
  /** The facility and the channel that it is about, for those who subscribe to these. */
  logical_guid?: string;
  channel_code?: string;
  payload: object;
}

interface Grounds {
  request_context?: RequestContext;
  reason?: string;
  source_refs?: SourceRef[];
}

const SCHEMA_VERSION = '1.0';

/** Puts what IPM does into the log of the organisation concerned, in the transaction of the thing itself. */
@Injectable()
export class OwnEvents {
  constructor(
    private readonly appender: EventAppender,
    private readonly arrivals: Arrivals,
  ) {}

  /** Late in its transaction, because it holds the organisation's log to the commit. Answers their positions. */
  append(tx: Tx, caller: Caller, grounds: Grounds, events: readonly OwnEvent[]): Promise<bigint[]> {
    const context = verifiedContext(caller, grounds.request_context);
    return this.appendAs(tx, caller.orgcode, { ...grounds, context }, events);
  }

  /** The same for what IPM does by itself. */
  async appendUnasked(tx: Tx, orgcode: string, reason: string, events: readonly OwnEvent[]): Promise<void> {
    await this.appendAs(tx, orgcode, { reason, context: { orgcode, actor: 'ipm' } }, events);
  }

  /** After the commit. */
  announce(orgcode: string): void {
    this.arrivals.announce(orgcode);
  }

  private async appendAs(
    tx: Tx,
    orgcode: string,
    grounds: Pick<EventSurroundings, 'context' | 'reason' | 'source_refs'>,
    events: readonly OwnEvent[],
  ): Promise<bigint[]> {
    if (events.length === 0) return [];
    const occurredAt = new Date().toISOString();
    const around = { orgcode, origin: 'ipm', flags: [], ...grounds } as const;
    const entries = events.map(({ action, resource, payload, logical_guid, channel_code }) => {
      const event = {
        event_id: randomUUID(),
        service: OWN_SERVICE,
        action,
        occurred_at: occurredAt,
        ...(logical_guid === undefined ? {} : { logical_guid }),
        ...(channel_code === undefined ? {} : { channel_code }),
        resource_type: resource.type,
        resource_id: resource.id,
        schema_version: SCHEMA_VERSION,
      };
      return {
        eventId: event.event_id,
        occurredAt: canonicalTime(occurredAt) ?? occurredAt,
        service: OWN_SERVICE,
        action,
        logicalGuid: logical_guid ?? null,
        channelCode: channel_code ?? null,
        envelope: envelopeText(event, payload, around),
      };
    });
    const appended = await this.appender.appendWithin(tx, orgcode, entries);
    return appended.map(({ position }) => position);
  }
}
