import { Injectable } from '@nestjs/common';
import { FeedService } from '../cdc/feed.service.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit } from '../platform/http/paging.js';
import { compileFilters, FilteredEventView } from './event-filter.js';
import type {
  WebhookFilter,
  WebhookFilterMatch,
  WebhookFilterTested,
  WebhookFilterTestRequest,
} from './webhook.dto.js';
import { webhookErrors } from './webhook.errors.js';
import { WebhookReading } from './webhook-reading.service.js';
import { WebhookRules } from './webhook-rules.service.js';

const MAX_EVENTS = 1_000;
/** Beyond that parsing would hold up other calls. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Tries filters on what has happened lately. */
@Injectable()
export class WebhookFilterTest {
  constructor(
    private readonly reading: WebhookReading,
    private readonly rules: WebhookRules,
    private readonly feed: FeedService,
  ) {}

  async test({ orgcode }: Caller, request: WebhookFilterTestRequest): Promise<WebhookFilterTested> {
    const wants = compileFilters(await this.filters(orgcode, request));
    const limit = clampLimit(request.limit);
    const tested: WebhookFilterTested = { looked_at: 0, matched: 0, items: [] };
    let bytes = 0;
    for await (const event of this.feed.newest(orgcode, { from_utc: request.from_utc }, MAX_EVENTS)) {
      tested.looked_at += 1;
      bytes += event.envelope.length;
      if (wants(new FilteredEventView(event))) {
        tested.matched += 1;
        if (tested.items.length < limit) tested.items.push(itemOf(event));
      }
      if (bytes >= MAX_BYTES) break;
    }
    return tested;
  }

  private async filters(
    orgcode: string,
    { event_filters, webhook_id }: WebhookFilterTestRequest,
  ): Promise<WebhookFilter[]> {
    if ((event_filters === undefined) === (webhook_id === undefined))
      throw new AppError(webhookErrors.invalid, {
        fields: [{ path: 'event_filters', tag: 'either_these_or_webhook_id' }],
      });
    if (webhook_id !== undefined) return (await this.reading.get(orgcode, webhook_id)).event_filters;
    this.rules.assertFilters(event_filters ?? []);
    return event_filters ?? [];
  }
}

type Found = Pick<WebhookFilterMatch, 'service' | 'action'> & { eventId: string; position: bigint; envelope: string };

function itemOf({ eventId, service, action, position, envelope }: Found): WebhookFilterMatch {
  const { occurred_at } = JSON.parse(envelope) as { occurred_at: string }; // as it was sent, to the last digit
  return { event_id: eventId, service, action, occurred_at, position: String(position) };
}
