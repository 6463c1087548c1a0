import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SpecimenService } from '../catalog/specimen.service.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Caller } from '../platform/http/caller.js';
import { GuardedClient } from '../platform/outgoing/guarded-client.js';
import { WebhookReading } from '../webhook/webhook-reading.service.js';
import { WebhookTargets, type WebhookTarget } from '../webhook/webhook-targets.service.js';
import { webhookErrors } from '../webhook/webhook.errors.js';
import { answerExcerpt } from '../platform/outgoing/answer-excerpt.js';
import type { TestedEvent, TestedRequest, WebhookTested, WebhookTestRequest } from './delivery.dto.js';
import { messageHeaders } from './message-headers.js';
import type { OutgoingEvent } from './outgoing-event.js';
import { messageBody } from './outgoing-message.js';
import { verdictAfter } from '../platform/outgoing/retry-schedule.js';

const TEST_HEADER = { 'ipm-test': 'true' };
/** One attempt, and what it comes to. */
const ALONE = { attempts: 1, schedule: [], ageSeconds: 0, maxAgeSeconds: 0, isAlone: true };

/** Sends a specimen as an event would be sent, at once and whether the webhook is paused or not. Nothing of it is kept. */
@Injectable()
export class WebhookTest {
  constructor(
    private readonly reading: WebhookReading,
    private readonly targets: WebhookTargets,
    private readonly specimens: SpecimenService,
    private readonly client: GuardedClient,
  ) {}

  async send({ orgcode }: Caller, { webhook_id, event }: WebhookTestRequest): Promise<WebhookTested> {
    const webhook = await this.reading.get(orgcode, webhook_id);
    const target = await this.targets.current(orgcode, webhook_id);
    if (!target) throw new AppError(webhookErrors.isRevoked);
    const specimen = await this.specimen(orgcode, webhook_id, event);
    const outgoing = outgoingSpecimen(orgcode, specimen);
    const body = messageBody(target.payloadFormat, outgoing);
    const headers = { ...signedHeaders(target, outgoing, body), ...TEST_HEADER };
    const { endpointUrl: url, timeoutMs } = target;
    const outcome = await this.client.post({ url, headers, body, timeoutMs });
    const verdict = verdictAfter(outcome, { ...ALONE, nowMs: Date.now() }, Math.random);
    return {
      delivered: verdict.kind === 'delivered',
      ...(outcome.status !== undefined && { http_status: outcome.status }),
      ...(verdict.kind !== 'delivered' && { error_tag: verdict.errorTag }),
      duration_ms: outcome.durationMs,
      ...(outcome.excerpt.length > 0 && { excerpt: answerExcerpt(outcome.excerpt) }),
      request: { url: url.href, headers: shownHeaders(headers, webhook.headers), body },
    };
  }

  private async specimen(orgcode: string, webhookId: string, event: TestedEvent | undefined): Promise<object> {
    if (!event) return specimenOfOurs(webhookId);
    const { specimen = {} } = await this.specimens.one(orgcode, `${event.service}.${event.action}`);
    return specimen;
  }
}

function specimenOfOurs(webhookId: string): object {
  return {
    service: 'ipm',
    action: 'webhook.test',
    resource_type: 'webhook',
    resource_id: webhookId,
    schema_version: '1.0',
    reason: 'Somebody tests the webhook.',
    payload: { webhook_id: webhookId, message: 'This is a test: nothing has happened.' },
  };
}

/** As if it had just happened: with an id of its own, so that no receiver takes it for one it has seen. */
function outgoingSpecimen(orgcode: string, specimen: object): OutgoingEvent {
  const [eventId, recordedAt] = [randomUUID(), new Date()];
  const occurred_at = recordedAt.toISOString();
  const envelope = JSON.stringify({ ...specimen, event_id: eventId, occurred_at, orgcode, origin: 'ipm' });
  return { orgcode, position: 0n, eventId, occurredAt: occurred_at, recordedAt, envelope };
}

function signedHeaders(target: WebhookTarget, event: OutgoingEvent, body: string): Record<string, string> {
  return messageHeaders({
    format: target.payloadFormat,
    event,
    body,
    secrets: target.secrets,
    custom: target.headers,
    deliveryId: randomUUID(),
    attempt: 1,
    isReplay: false,
    nowSeconds: Math.floor(Date.now() / 1_000),
  });
}

/** Without the signature, which belongs to who holds the secret, and with the custom ones as webhook/get shows them. */
function shownHeaders(
  { 'webhook-signature': _signature, ...headers }: Record<string, string>,
  masked: Readonly<Record<string, string>> = {},
): TestedRequest['headers'] {
  const custom = Object.entries(masked).map(([name, value]) => [name.toLowerCase(), value]);
  return { ...headers, ...(Object.fromEntries(custom) as Record<string, string>) };
}
