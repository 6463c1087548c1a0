import { Injectable } from '@nestjs/common';
import { WriteService, type Written } from '../audit/write.service.js';
import type { OwnEvent } from '../cdc/own-events.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { lastFourOf, newSigningSecret } from './signing-secret.js';
import { TakenWebhooks, type TakenWebhook } from './taken-webhooks.service.js';
import type {
  Webhook,
  WebhookData,
  WebhookSecretRotated,
  WebhookSecretRotateRequest,
  WebhookUpdateRequest,
} from './webhook.dto.js';
import { webhookErrors } from './webhook.errors.js';
import { sealedHeaders, webhookSeal, webhookToWire } from './webhook.mapper.js';
import { secretRotated } from './webhook-own-events.js';
import { WebhookRules } from './webhook-rules.service.js';
import { settingsIn } from './webhook-settings.js';
import { WebhookRepository, type SecretChange, type WebhookRecord } from './webhook.repository.js';

const DEFAULT_OVERLAP_SECONDS = 86_400;

/** Changes of what a webhook is, apart from its status. */
@Injectable()
export class WebhookUpdates {
  constructor(
    private readonly writes: WriteService,
    private readonly webhooks: WebhookRepository,
    private readonly taken: TakenWebhooks,
    private readonly rules: WebhookRules,
    private readonly keyring: Keyring,
  ) {}

  async update(caller: Caller, request: WebhookUpdateRequest): Promise<Answer<WebhookData>> {
    const unreachable = await this.rules.endpointProblem(request.endpoint_url); // asks the name service: outside of any transaction
    const { orgcode } = caller;
    const work = async (tx: Tx): Promise<Written<WebhookData>> => {
      const before = await this.takeLiving(tx, orgcode, request);
      const settings = settingsIn(request);
      const { record } = before;
      const isReordered = settings.ordering !== undefined && settings.ordering !== record.ordering;
      if (isReordered && record.status !== 'paused') throw new AppError(webhookErrors.notPaused);
      const { caption, headers, endpoint_url, event_filters: eventFilters } = request;
      const after = await this.webhooks.update(tx, orgcode, record, {
        settings,
        caption,
        eventFilters,
        endpointUrl: endpoint_url && new URL(endpoint_url).href,
        headersSealed: headers === undefined ? undefined : sealedHeaders(record, headers, this.keyring),
      });
      return this.written(before, after, (webhook) => ({ webhook }));
    };
    return this.writes.once(caller, request, work, {
      precondition: () => this.rules.assertUpdatable(request, unreachable),
    });
  }

  rotateSecret(caller: Caller, request: WebhookSecretRotateRequest): Promise<Answer<WebhookSecretRotated>> {
    const secret = request.expire_previous ? undefined : newSigningSecret();
    const work = async (tx: Tx): Promise<Written<WebhookSecretRotated>> => {
      const before = await this.takeLiving(tx, caller.orgcode, request);
      const change =
        secret === undefined
          ? { previousSecretSealed: null, previousSecretUntil: null }
          : this.newSecret(before.record, secret, request.overlap_seconds ?? DEFAULT_OVERLAP_SECONDS);
      const after = await this.webhooks.update(tx, caller.orgcode, before.record, { secret: change });
      const shown = (webhook: Webhook): WebhookSecretRotated =>
        secret === undefined ? webhook : { ...webhook, signing_secret: secret };
      return this.written(before, after, shown, secret === undefined ? [] : [secretRotated(after)]);
    };
    return this.writes.once(caller, request, work, {
      secretAnswer: true,
      precondition: () => this.rules.assertRotatable(request),
    });
  }

  /** Of three secrets in a row only the last two sign: whoever rotates again in the middle of an overlap ends the oldest. */
  private newSecret(
    { orgcode, webhookId, secretSealed }: WebhookRecord,
    secret: string,
    seconds: number,
  ): SecretChange {
    return {
      secretSealed: this.keyring.seal(secret, webhookSeal(orgcode, webhookId, 'signing_secret')),
      secretLast4: lastFourOf(secret),
      previousSecretSealed: seconds === 0 ? null : secretSealed,
      previousSecretUntil: seconds === 0 ? null : new Date(Date.now() + seconds * 1_000),
    };
  }

  private async takeLiving(
    tx: Tx,
    orgcode: string,
    request: WebhookUpdateRequest | WebhookSecretRotateRequest,
  ): Promise<TakenWebhook> {
    const taken = await this.taken.take(tx, orgcode, request);
    if (taken.record.status === 'revoked') throw new AppError(webhookErrors.isRevoked);
    return taken;
  }

  private written<Data extends object>(
    before: TakenWebhook,
    after: WebhookRecord,
    dataOf: (webhook: Webhook) => Data,
    events: OwnEvent[] = [],
  ): Written<Data> {
    const webhook = webhookToWire(after, this.keyring);
    return {
      data: dataOf(webhook),
      revision: webhook.revision,
      audit: { resource: { type: 'webhook', id: webhook.webhook_id }, before: before.shown, after: webhook },
      events,
      last: (end) => this.webhooks.bump(end, after.orgcode),
    };
  }
}
