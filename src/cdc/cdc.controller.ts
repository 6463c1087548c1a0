import { Body, Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuthenticationHook } from '../platform/http/authentication.hook.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import {
  CdcGetData,
  CdcGetRequest,
  CdcList,
  CdcListRequest,
  CdcStreamRequest,
  MAX_PUBLISH_BYTES,
  PublishRequest,
  PublishResult,
} from './cdc.dto.js';
import { EventDeliveries } from './event-deliveries.service.js';
import { EventStreams } from './event-stream.service.js';
import { feedFilters } from './feed-filters.js';
import { FeedService } from './feed.service.js';
import { PublishService } from './publish.service.js';

const feed: ServiceLevel = { routeClass: 'Tier C', qps: 100, concurrency: 50, p95Ms: 150, p99Ms: 400 };
const publish: ServiceLevel = { routeClass: 'Tier C', qps: 100, concurrency: 50, p95Ms: 150, p99Ms: 400 };

@Controller()
export class CdcController {
  constructor(
    private readonly publishing: PublishService,
    private readonly reading: FeedService,
    private readonly streams: EventStreams,
    private readonly authentication: AuthenticationHook,
    private readonly deliveries: EventDeliveries,
  ) {}

  @Operation('event/publish', {
    role: 'integration_service',
    summary: 'Publish events',
    description:
      'Takes 1 to 1,000 events, as JSON or as NDJSON with an event a line, and answers for each: accepted, duplicate or rejected. What is accepted is durable.',
    data: PublishResult,
    level: publish,
    rateClass: 'feed',
    extension: true,
    batchOf: 'events',
    maxBodyBytes: MAX_PUBLISH_BYTES,
    costCentre: true,
  })
  publish(@CurrentCaller() caller: Caller, @Body() request: PublishRequest): Promise<PublishResult> {
    return this.publishing.publish(caller, request);
  }

  @Operation('cdc/list', {
    role: 'integration_view',
    summary: 'List CDC events',
    data: CdcList,
    level: feed,
    rateClass: 'feed',
  })
  list(@CurrentCaller() caller: Caller, @Body() request: CdcListRequest): Promise<CdcList> {
    return this.reading.list(caller, request);
  }

  @Operation('cdc/get', {
    role: 'integration_view',
    summary: 'Get one event of the log',
    data: CdcGetData,
    level: feed,
    rateClass: 'feed',
    extension: true,
  })
  async get(@CurrentCaller() caller: Caller, @Body() request: CdcGetRequest): Promise<CdcGetData> {
    const event = await this.reading.get(caller, request);
    const deliveries = await this.deliveries.ofEvent(caller.orgcode, BigInt(event.position));
    return { event, deliveries };
  }

  @Operation('cdc/stream', {
    role: 'integration_view',
    method: 'GET',
    summary: 'Read the feed as server-sent events',
    description:
      'Each event has as its id the token to go on after it: send it back as Last-Event-ID, or as `from`. Without either the stream begins with what comes next.',
    rateClass: 'feed',
    extension: true,
  })
  async stream(
    @CurrentCaller() { orgcode }: Caller,
    @Query() request: CdcStreamRequest,
    @Req() call: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lastSeen = call.headers['last-event-id'];
    const stream = await this.streams.open({
      orgcode,
      filters: feedFilters(request),
      from: typeof lastSeen === 'string' && lastSeen !== '' ? lastSeen : (request.from ?? 'now'),
      mayGoOn: () => this.authentication.mayGoOn(call),
    });
    void reply.headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // or a proxy would keep events back
    });
    void reply.send(stream); // what is returned goes through a stream of Nest's, which outlives ours when we end it
  }
}
