import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import { Keyring } from '../platform/secrets/keyring.js';
import type { Webhook } from './webhook.dto.js';
import { webhookErrors } from './webhook.errors.js';
import { webhookToWire } from './webhook.mapper.js';
import { WebhookRepository, type WebhookRecord } from './webhook.repository.js';

export interface TakenWebhook {
  record: WebhookRecord;
  /** As it is before the change. */
  shown: Webhook;
}

/** How every change of a webhook begins. */
@Injectable()
export class TakenWebhooks {
  constructor(
    private readonly webhooks: WebhookRepository,
    private readonly keyring: Keyring,
  ) {}

  /** Locked to the commit and of the expected revision. */
  async take(
    tx: Tx,
    orgcode: string,
    { webhook_id, expected_revision }: { webhook_id: string; expected_revision: string },
  ): Promise<TakenWebhook> {
    const record = await this.webhooks.findForUpdate(tx, orgcode, webhook_id);
    if (!record) throw new AppError(webhookErrors.notFound);
    const shown = webhookToWire(record, this.keyring);
    if (shown.revision !== expected_revision)
      throw new AppError(platformErrors.revisionStale, { conflictSnapshot: shown });
    return { record, shown };
  }
}
