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
  WebhookFilterTested,
  WebhookFilterTestRequest,
  WebhookGetRequest,
  WebhookList,
  WebhookListRequest,
  WebhookSecretRotated,
  WebhookSecretRotateRequest,
  WebhookStatusSetRequest,
  WebhookUpdateRequest,
  type Webhook,
} from './webhook.dto.js';
import { WebhookFigures } from './webhook-figures.service.js';
import { WebhookFilterTest } from './webhook-filter-test.service.js';
import { WebhookReading } from './webhook-reading.service.js';
import { WebhookService } from './webhook.service.js';
import { WebhookUpdates } from './webhook-update.service.js';

const read: ServiceLevel = { routeClass: 'Tier B', qps: 50, concurrency: 25, p95Ms: 300 };
const write: ServiceLevel = { routeClass: 'Tier D', qps: 20, concurrency: 10, p95Ms: 300, p99Ms: 600 };

@Controller('webhook')
export class WebhookController {
  constructor(
    private readonly webhooks: WebhookService,
    private readonly updates: WebhookUpdates,
    private readonly reading: WebhookReading,
    private readonly filterTest: WebhookFilterTest,
    private readonly figures: WebhookFigures,
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
    return { webhook: await this.reading.getWith(this.figures, orgcode, webhook_id) };
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

  @Operation('update', {
    role: 'integration_admin',
    summary: 'Change a webhook',
    description: 'What is absent stays as it is; null is the default.',
    data: WebhookData,
    level: write,
    write: true,
    costCentre: true,
    revisionOf: WebhookReading,
    extension: true,
  })
  update(@CurrentCaller() caller: Caller, @Body() request: WebhookUpdateRequest): Promise<Answer<WebhookData>> {
    return this.updates.update(caller, request);
  }

  @Operation('secret/rotate', {
    role: 'integration_admin',
    summary: 'Give a webhook a new signing secret',
    description: 'Calls carry both signatures until the overlap ends.',
    data: WebhookSecretRotated,
    level: write,
    write: true,
    secretAnswer: true,
    costCentre: true,
    revisionOf: WebhookReading,
    extension: true,
  })
  rotateSecret(
    @CurrentCaller() caller: Caller,
    @Body() request: WebhookSecretRotateRequest,
  ): Promise<Answer<WebhookSecretRotated>> {
    return this.updates.rotateSecret(caller, request);
  }

  @Operation('filter/test', {
    role: 'integration_view',
    summary: 'Say which recent events filters would match',
    data: WebhookFilterTested,
    level: read,
    extension: true,
  })
  testFilter(@CurrentCaller() caller: Caller, @Body() request: WebhookFilterTestRequest): Promise<WebhookFilterTested> {
    return this.filterTest.test(caller, request);
  }
}
