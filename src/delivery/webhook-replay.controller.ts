import { Body, Controller } from '@nestjs/common';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import { ReplayOrders } from './replay-orders.service.js';
import {
  ReplayCancelRequest,
  ReplayData,
  ReplayRequest,
  ReplayStartRequest,
  WebhookReplayed,
  WebhookReplayRequest,
} from './webhook-replay.dto.js';
import { WebhookReplay } from './webhook-replay.service.js';

const replay: ServiceLevel = { routeClass: 'Tier D', qps: 5, concurrency: 2, p95Ms: 500, p99Ms: 1000 };

@Controller('webhook')
export class WebhookReplayController {
  constructor(
    private readonly replays: WebhookReplay,
    private readonly orders: ReplayOrders,
  ) {}

  @Operation('replay', {
    role: 'integration_admin',
    summary: 'Replay webhook deliveries from the event store',
    description:
      'Sends matching events once more, one attempt each, up to `limit`; `next_token` is there while there are more.',
    data: WebhookReplayed,
    level: replay,
    write: true,
    rateClass: 'bulk',
    costCentre: true,
  })
  replay(@CurrentCaller() caller: Caller, @Body() request: WebhookReplayRequest): Promise<Answer<WebhookReplayed>> {
    return this.replays.replay(caller, request);
  }

  @Operation('replay/start', {
    role: 'integration_admin',
    summary: 'Start a replay of a large range',
    data: ReplayData,
    write: true,
    rateClass: 'bulk',
    extension: true,
  })
  start(@CurrentCaller() caller: Caller, @Body() request: ReplayStartRequest): Promise<Answer<ReplayData>> {
    return this.orders.start(caller, request);
  }

  @Operation('replay/get', { role: 'integration_view', summary: 'Get a replay', data: ReplayData, extension: true })
  get(@CurrentCaller() caller: Caller, @Body() request: ReplayRequest): Promise<ReplayData> {
    return this.orders.get(caller, request);
  }

  @Operation('replay/cancel', {
    role: 'integration_admin',
    summary: 'Cancel a replay',
    description: 'Nothing more of it is put into the queue; what is in it goes out.',
    data: ReplayData,
    write: true,
    extension: true,
  })
  cancel(@CurrentCaller() caller: Caller, @Body() request: ReplayCancelRequest): Promise<Answer<ReplayData>> {
    return this.orders.cancel(caller, request);
  }
}
