import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { FeedService } from '../cdc/feed.service.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { clampLimit, Paging } from '../platform/http/paging.js';
import { WebhookReading } from '../webhook/webhook-reading.service.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { wantedEvents } from './logged-events.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { ReplaySending } from './replay-sending.service.js';
import type { WebhookReplayed, WebhookReplayRequest } from './webhook-replay.dto.js';

const BUDGET_MS = 20_000;
const AT_ONCE = 16;
const EVENTS_A_PAGE = 256;
/** Pages of the log that one call looks through, however few of their events match. */
const MAX_PAGES = 40;

interface Range {
  service?: string | undefined;
  from_utc?: string | undefined;
  to_utc: string;
}

interface Progress {
  delivered: number;
  failed: number;
  cursor: bigint;
  hasMore: boolean;
}

/** Sends matching events of a range once more, as many as are asked for and as time allows; the token goes on from there. */
@Injectable()
export class WebhookReplay {
  constructor(
    private readonly writes: WriteService,
    private readonly reading: WebhookReading,
    private readonly targets: WebhookTargets,
    private readonly feed: FeedService,
    private readonly sending: ReplaySending,
    private readonly paging: Paging,
  ) {}

  replay(caller: Caller, request: WebhookReplayRequest): Promise<Answer<WebhookReplayed>> {
    return this.writes.onceAfter(
      caller,
      request,
      () => this.send(caller.orgcode, request),
      (_tx, data) =>
        Promise.resolve({ data, audit: { resource: { type: 'webhook', id: request.webhook_id }, after: data } }),
    );
  }

  private async send(orgcode: string, request: WebhookReplayRequest): Promise<WebhookReplayed> {
    await this.reading.assertActive(orgcode, request.webhook_id);
    const target = await this.targets.current(orgcode, request.webhook_id);
    if (!target) throw new Error(`webhook ${request.webhook_id} is active and has no target`);
    const { webhook_id, service, from_utc } = request;
    const scope = {
      orgcode,
      list: 'webhook/replay',
      filters: { webhook_id, service, from_utc, to_utc: request.to_utc },
    };
    const [after, pinned] = this.paging.positionAfter(request.next_token, scope) ?? [];
    const to_utc = pinned === undefined ? (request.to_utc ?? new Date().toISOString()) : String(pinned);
    const begin = after === undefined ? undefined : BigInt(after);
    const progress = await this.work(target, { service, from_utc, to_utc }, begin, clampLimit(request.limit));
    const { delivered, failed, cursor, hasMore } = progress;
    return {
      webhook_id,
      delivered,
      failed,
      ...(hasMore ? { next_token: this.paging.tokenAt([String(cursor), to_utc], scope) } : {}),
    };
  }

  private async work(target: WebhookTarget, range: Range, begin: bigint | undefined, limit: number): Promise<Progress> {
    const deadlineMs = Date.now() + BUDGET_MS;
    const progress: Progress = { delivered: 0, failed: 0, cursor: begin ?? 0n, hasMore: true };
    for (let [pages, after] = [0, begin]; pages < MAX_PAGES && progress.hasMore; pages += 1) {
      const page = await this.feed.pageIn(target.orgcode, range, after, EVENTS_A_PAGE);
      const wanted = wantedEvents(target.orgcode, target, page.rows);
      if (!(await this.sendAll(target, wanted, progress, limit, deadlineMs))) return progress;
      Object.assign(progress, { cursor: page.cursor, hasMore: page.hasMore });
      after = page.cursor;
    }
    return progress;
  }

  /** False where the limit or the time came to an end before the events did. */
  private async sendAll(
    target: WebhookTarget,
    wanted: readonly OutgoingEvent[],
    progress: Progress,
    limit: number,
    deadlineMs: number,
  ): Promise<boolean> {
    for (let i = 0; i < wanted.length;) {
      const left = limit - progress.delivered - progress.failed;
      if (left === 0 || Date.now() >= deadlineMs) return false;
      const batch = wanted.slice(i, i + Math.min(AT_ONCE, left, target.rateLimit ?? AT_ONCE));
      const [sent] = await Promise.all([this.sending.send(target, batch), sleep(timeOf(batch.length, target))]);
      progress.delivered += sent.delivered;
      progress.failed += sent.failed;
      progress.cursor = batch.at(-1)?.position ?? progress.cursor;
      i += batch.length;
    }
    return true;
  }
}

/** What so many calls take at the rate that the webhook wants. */
function timeOf(calls: number, { rateLimit }: WebhookTarget): number {
  return rateLimit === null ? 0 : (calls * 1_000) / rateLimit;
}
