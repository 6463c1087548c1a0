import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Db } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import { RevisionedRecords } from '../platform/http/operation.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { Keyring } from '../platform/secrets/keyring.js';
import type { Webhook, WebhookListRequest } from './webhook.dto.js';
import { webhookErrors } from './webhook.errors.js';
import { webhookToWire } from './webhook.mapper.js';
import type { WebhookFigures } from './webhook-figures.service.js';
import { WebhookRepository } from './webhook.repository.js';

/** Subscriptions as one may see them: without secrets. */
@Injectable()
export class WebhookReading extends RevisionedRecords {
  constructor(
    private readonly database: Database,
    private readonly webhooks: WebhookRepository,
    private readonly keyring: Keyring,
    private readonly paging: Paging,
  ) {
    super();
  }

  async get(orgcode: string, webhookId: string): Promise<Webhook> {
    const found = await this.find(orgcode, webhookId);
    if (!found) throw new AppError(webhookErrors.notFound);
    return found;
  }

  /** The same, and how it fares. */
  async getWith(figures: WebhookFigures, orgcode: string, webhookId: string): Promise<Webhook> {
    const found = await this.webhooks.read(orgcode, webhookId, figures.column());
    if (!found) throw new AppError(webhookErrors.notFound);
    return { ...webhookToWire(found, this.keyring), ...figures.shown(found.more) };
  }

  /** For what only makes sense while calls are made. */
  assertActive(orgcode: string, webhookId: string): Promise<{ lane: bigint }> {
    return this.database.read(orgcode, (db) => this.assertActiveWithin(db, orgcode, webhookId));
  }

  /** The same in a transaction that goes on with it. */
  async assertActiveWithin(db: Db, orgcode: string, webhookId: string): Promise<{ lane: bigint }> {
    const webhook = await this.webhooks.find(db, orgcode, webhookId);
    if (!webhook) throw new AppError(webhookErrors.notFound);
    if (webhook.status === 'paused') throw new AppError(webhookErrors.isPaused);
    if (webhook.status === 'revoked') throw new AppError(webhookErrors.isRevoked);
    return webhook;
  }

  snapshot(orgcode: string, { webhook_id }: Readonly<Record<string, unknown>>): Promise<object | undefined> {
    return typeof webhook_id === 'string' ? this.find(orgcode, webhook_id) : Promise.resolve(undefined);
  }

  async list({ orgcode }: Caller, request: WebhookListRequest): Promise<Page<Webhook>> {
    const limit = clampLimit(request.limit);
    const scope = { orgcode, list: 'webhook/list', filters: { status: request.status } };
    const [createdAt, webhookId] = this.paging.positionAfter(request.next_token, scope) ?? [];
    const after =
      createdAt === undefined ? undefined : { createdAt: new Date(createdAt), webhookId: String(webhookId) };
    const rows = await this.webhooks.page(orgcode, request.status, after, limit + 1);
    return this.paging.page(rows, limit, scope, {
      position: (row) => [row.createdAt.toISOString(), row.webhookId],
      item: (row) => webhookToWire(row, this.keyring),
    });
  }

  private async find(orgcode: string, webhookId: string): Promise<Webhook | undefined> {
    const found = await this.webhooks.read(orgcode, webhookId);
    return found ? webhookToWire(found, this.keyring) : undefined;
  }
}
