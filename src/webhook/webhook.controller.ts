import { Body, Controller } from '@nestjs/common';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Operation, type ServiceLevel } from '../platform/http/operation.js';
import type { Page } from '../platform/http/paging.js';
import { CurrentCaller } from '../platform/http/request-scope.js';
import {
  WebhookCreated,
  WebhookCreateRequest,
  WebhookData,
  WebhookGetRequest,
  WebhookList,
  WebhookListRequest,
  WebhookStatusSetRequest,
  type Webhook,
} from './webhook.dto.js';
import { WebhookReading } from './webhook-reading.service.js';
import { WebhookService } from './webhook.service.js';

const read: ServiceLevel = { routeClass: 'Tier B', qps: 50, concurrency: 25, p95Ms: 300 };
const write: ServiceLevel = { routeClass: 'Tier D', qps: 20, concurrency: 10, p95Ms: 300, p99Ms: 600 };

@Controller('webhook')
export class WebhookController {
  constructor(
    private readonly webhooks: WebhookService,
    private readonly reading: WebhookReading,
  ) {}

  @Operation('create', {
    role: 'integration_admin',
    summary: 'Create a webhook subscription',
    data: WebhookCreated,
    level: write,
    write: true,
    secretAnswer: true,
    costCentre: true,
  })
  create(@CurrentCaller() caller: Caller, @Body() request: WebhookCreateRequest): Promise<Answer<WebhookCreated>> {
    return this.webhooks.create(caller, request);
  }

  @Operation('get', { role: 'integration_view', summary: 'Get a webhook', data: WebhookData, level: read })
  async get(@CurrentCaller() { orgcode }: Caller, @Body() { webhook_id }: WebhookGetRequest): Promise<WebhookData> {
    return { webhook: await this.reading.get(orgcode, webhook_id) };
  }

  @Operation('list', { role: 'integration_view', summary: 'List webhooks', data: WebhookList, level: read })
  list(@CurrentCaller() caller: Caller, @Body() request: WebhookListRequest): Promise<Page<Webhook>> {
    return this.reading.list(caller, request);
  }

  @Operation('status/set', {
    role: 'integration_admin',
    summary: 'Set webhook status',
    data: WebhookData,
    level: write,
    write: true,
    costCentre: true,
    revisionOf: WebhookReading,
  })
  setStatus(@CurrentCaller() caller: Caller, @Body() request: WebhookStatusSetRequest): Promise<Answer<WebhookData>> {
    return this.webhooks.setStatus(caller, request);
  }
}
