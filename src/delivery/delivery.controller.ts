import { Body, Controller } from '@nestjs/common';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import {
  DeliveryData,
  DeliveryGetData,
  DeliveryGetRequest,
  DeliveryList,
  DeliveryListRequest,
  DeliveryRetryRequest,
  WebhookTested,
  WebhookTestRequest,
} from './delivery.dto.js';
import { DeliveryReading } from './delivery-reading.service.js';
import { DeliveryRetry } from './delivery-retry.service.js';
import { WebhookTest } from './webhook-test.service.js';

const read: ServiceLevel = { routeClass: 'Tier B', qps: 50, concurrency: 25, p95Ms: 300 };
const write: ServiceLevel = { routeClass: 'Tier D', qps: 20, concurrency: 10, p95Ms: 300, p99Ms: 600 };

@Controller('webhook')
export class DeliveryController {
  constructor(
    private readonly reading: DeliveryReading,
    private readonly retrying: DeliveryRetry,
    private readonly testing: WebhookTest,
  ) {}

  @Operation('delivery/list', {
    role: 'integration_view',
    summary: 'List the deliveries of a webhook',
    description:
      'Newest events first. A page looks at no more than 20,000 deliveries: with rare matches it may be short and not the last.',
    data: DeliveryList,
    level: read,
    extension: true,
  })
  list(@CurrentCaller() caller: Caller, @Body() request: DeliveryListRequest): Promise<DeliveryList> {
    return this.reading.list(caller, request);
  }

  @Operation('delivery/get', {
    role: 'integration_view',
    summary: 'Get a delivery with its attempts',
    data: DeliveryGetData,
    level: read,
    extension: true,
  })
  get(@CurrentCaller() caller: Caller, @Body() request: DeliveryGetRequest): Promise<DeliveryGetData> {
    return this.reading.get(caller, request);
  }

  @Operation('delivery/retry', {
    role: 'integration_admin',
    summary: 'Send a dead delivery once more',
    description: 'One attempt, now; if it fails the delivery is dead again.',
    data: DeliveryData,
    level: write,
    write: true,
    extension: true,
  })
  retry(@CurrentCaller() caller: Caller, @Body() request: DeliveryRetryRequest): Promise<Answer<DeliveryData>> {
    return this.retrying.retry(caller, request);
  }

  @Operation('test', {
    role: 'integration_admin',
    summary: 'Send a specimen to a webhook',
    description:
      'At once, signed as any call, with the header ipm-test; also to a paused webhook. Nothing of it is kept.',
    data: WebhookTested,
    rateClass: 'bulk',
    extension: true,
  })
  test(@CurrentCaller() caller: Caller, @Body() request: WebhookTestRequest): Promise<WebhookTested> {
    return this.testing.send(caller, request);
  }
}
