import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService } from '../audit/write.service.js';
import { RouterCursors } from '../cdc/router-cursors.service.js';
import { eventContextOf } from '../cdc/own-events.service.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import { platformErrors } from '../platform/errors/platform.errors.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { RevisionedRecords } from '../platform/http/operation.js';
import { clampLimit, Paging, type Page } from '../platform/http/paging.js';
import { GuardedClient } from '../platform/outgoing/guarded-client.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { headerProblems } from './custom-headers.js';
import { lastFourOf, newSigningSecret } from './signing-secret.js';
import { webhookLifecycle, type WebhookStatus } from './webhook-lifecycle.js';
import type {
  Webhook,
  WebhookCreated,
  WebhookCreateRequest,
  WebhookData,
  WebhookListRequest,
  WebhookStatusSetRequest,
} from './webhook.dto.js';
import { webhookErrors } from './webhook.errors.js';
import { webhookSeal, webhookToWire } from './webhook.mapper.js';
import { WebhookRepository, type Gap, type WebhookRecord } from './webhook.repository.js';

export const MAX_WEBHOOKS = 10_000;
const DEFAULT_TIMEOUT_MS = 15_000;

@Injectable()
export class WebhookService extends RevisionedRecords {
  constructor(
    private readonly database: Database,
    private readonly writes: WriteService,
    private readonly webhooks: WebhookRepository,
    private readonly cursors: RouterCursors,
    private readonly client: GuardedClient,
    private readonly keyring: Keyring,
    private readonly paging: Paging,
  ) {
    super();
  }
}
