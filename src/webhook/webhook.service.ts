import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WriteService, type Written } from '../audit/write.service.js';
import { RouterCursors } from '../cdc/router-cursors.service.js';
import type { Tx } from '../platform/database/transaction.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Answer } from '../platform/http/answer.js';
import type { Caller } from '../platform/http/caller.js';
import { verifiedContext } from '../platform/http/verified-context.js';
import { Keyring } from '../platform/secrets/keyring.js';
import { lastFourOf, newSigningSecret } from './signing-secret.js';
import { TakenWebhooks } from './taken-webhooks.service.js';
import { webhookLifecycle } from './webhook-lifecycle.js';
import type { WebhookCreated, WebhookCreateRequest, WebhookData, WebhookStatusSetRequest } from './webhook.dto.js';
import { WebhookRules } from './webhook-rules.service.js';
import { newSettings } from './webhook-settings.js';
import { webhookErrors } from './webhook.errors.js';
import { sealedHeaders, webhookSeal, webhookToWire } from './webhook.mapper.js';
import { webhookCreated, webhookStatusEvent } from './webhook-own-events.js';
import type { Gap } from './webhook-gaps.dto.js';
import { WebhookRepository, type StatusChange, type WebhookRecord } from './webhook.repository.js';

const MAX_WEBHOOKS = 10_000;

@Injectable()
export class WebhookService {
  constructor(
    private readonly writes: WriteService,
    private readonly webhooks: WebhookRepository,
    private readonly taken: TakenWebhooks,
    private readonly cursors: RouterCursors,
    private readonly rules: WebhookRules,
    private readonly keyring: Keyring,
  ) {}

  async create(caller: Caller, request: WebhookCreateRequest): Promise<Answer<WebhookCreated>> {
    const unreachable = await this.rules.endpointProblem(request.endpoint_url); // asks the name service: outside of any transaction
    const secret = newSigningSecret();
    return this.writes.once(caller, request, (tx) => this.insert(tx, caller, request, secret), {
      secretAnswer: true,
      precondition: () => this.rules.assertCreatable(request, unreachable),
    });
  }

  setStatus(caller: Caller, request: WebhookStatusSetRequest): Promise<Answer<WebhookData>> {
    return this.writes.once(caller, request, async (tx) => {
      const { record: current, shown: before } = await this.taken.take(tx, caller.orgcode, request);
      webhookLifecycle.assertStep(before.status, request.status);
      const change = await this.changeTo(tx, caller, request, current);
      const changed = await this.webhooks.changeStatus(tx, caller.orgcode, current.webhookId, change);
      const webhook = webhookToWire(changed, this.keyring);
      return {
        data: { webhook },
        revision: webhook.revision,
        audit: { resource: { type: 'webhook', id: webhook.webhook_id }, before, after: webhook },
        events: webhookStatusEvent(current, changed, request.catch_up ?? true),
        last: async (end, [said = 0n]) => {
          if (leavesOut(request, current)) await this.webhooks.startAnew(end, changed, said - 1n);
          await this.webhooks.bump(end, caller.orgcode);
        },
      };
    });
  }

  private async insert(
    tx: Tx,
    caller: Caller,
    request: WebhookCreateRequest,
    secret: string,
  ): Promise<Written<WebhookCreated>> {
    const { orgcode } = caller;
    const webhookId = request.webhook_id ?? `whk_${randomBytes(9).toString('base64url')}`;
    const newWebhook = {
      webhookId,
      caption: request.caption ?? null,
      endpointUrl: new URL(request.endpoint_url).href,
      status: request.status ?? 'active',
      eventFilters: request.event_filters,
      headersSealed: sealedHeaders({ orgcode, webhookId }, request.headers, this.keyring),
      secretSealed: this.keyring.seal(secret, webhookSeal(orgcode, webhookId, 'signing_secret')),
      secretLast4: lastFourOf(secret),
      settings: newSettings(request),
      requestContext: verifiedContext(caller, request.request_context),
      reason: request.reason,
      sourceRefs: request.source_refs,
    };
    const record = await this.webhooks.insert(tx, orgcode, newWebhook);
    if (!record) throw new AppError(webhookErrors.exists);
    const webhook = webhookToWire(record, this.keyring);
    return {
      data: { ...webhook, signing_secret: secret },
      revision: webhook.revision,
      audit: { resource: { type: 'webhook', id: webhookId }, after: webhook },
      events: [webhookCreated(record)],
      // The log stands still: what is appended after this transaction is the webhook's, and the word of its creation, and nothing before.
      last: async (end, [created = 0n]) => {
        await this.cursors.begin(end, orgcode, created - 1n);
        if (!(await this.webhooks.startAfter(end, orgcode, webhookId, created - 1n, MAX_WEBHOOKS)))
          throw new AppError(webhookErrors.tooMany, { details: { max: MAX_WEBHOOKS } });
        await this.webhooks.bump(end, orgcode);
      },
    };
  }

  private async changeTo(
    tx: Tx,
    caller: Caller,
    { status, request_context, reason, source_refs, catch_up = true }: WebhookStatusSetRequest,
    current: WebhookRecord,
  ): Promise<StatusChange> {
    const why = {
      statusRequestContext: verifiedContext(caller, request_context),
      statusReason: reason,
      statusSourceRefs: source_refs,
    };
    const gaps = current.gaps as unknown as Gap[];
    const { pausedAfter, pausedAt, activation } = current;
    if (status === 'paused' && current.status !== 'paused') {
      const cursor = await this.cursors.hold(tx, caller.orgcode); // the head would leave out what is not routed yet
      return { ...why, status, pausedAfter: cursor, pausedAt: new Date(), gaps, activation };
    }
    if (status === 'active' && current.status === 'paused') {
      const cursor = await this.cursors.hold(tx, caller.orgcode);
      const missed = gapBetween(pausedAfter, cursor);
      const kept = catch_up ? [...gaps, ...missed] : [];
      return { ...why, status, pausedAfter: null, pausedAt: null, gaps: kept, activation: activation + 1 };
    }
    return { ...why, status, pausedAfter, pausedAt, gaps, activation: activation + (status === 'active' ? 1 : 0) };
  }
}

function gapBetween(after: bigint | null, to: bigint): Gap[] {
  return after !== null && after < to ? [{ after: String(after), to: String(to) }] : [];
}

/** All that was published up to now, whether it was routed meanwhile or is still to be. */
function leavesOut({ status, catch_up = true }: WebhookStatusSetRequest, before: WebhookRecord): boolean {
  return status === 'active' && before.status === 'paused' && !catch_up;
}
