import { Injectable } from '@nestjs/common';
import { GuardedClient } from '../platform/outgoing/guarded-client.js';
import type { OutgoingOutcome } from '../platform/outgoing/outgoing-calls.js';
import { Tracing } from '../platform/telemetry/tracing.js';
import type { WebhookTarget } from '../webhook/webhook-targets.service.js';
import { attemptSpan, endAttemptSpan } from './attempt-span.js';
import { deliveryId } from './delivery-id.js';
import { LeaseTimes } from './lease-times.js';
import type { LeasedDelivery } from './leased-delivery.js';
import { messageHeaders } from './message-headers.js';
import type { OutgoingEvent, PayloadFormat } from './outgoing-event.js';
import { messageBody } from './outgoing-message.js';

/** Renders, signs and posts. */
@Injectable()
export class DeliverySender {
  constructor(
    private readonly client: GuardedClient,
    private readonly leaseTimes: LeaseTimes,
    private readonly tracing: Tracing,
  ) {}

  /** From its start until its result is written, at most. */
  needsMs({ timeoutMs }: WebhookTarget): number {
    return this.leaseTimes.callMs(timeoutMs) + this.leaseTimes.marginMs;
  }

  async send(delivery: LeasedDelivery, event: OutgoingEvent, target: WebhookTarget): Promise<OutgoingOutcome> {
    const span = attemptSpan(this.tracing, delivery, event.envelope, target);
    const body = this.bodyOf(event, target.payloadFormat);
    const headers = messageHeaders({
      format: target.payloadFormat,
      event,
      body,
      secrets: target.secrets,
      custom: target.headers,
      deliveryId: deliveryId(delivery),
      attempt: delivery.attempts + 1,
      isReplay: delivery.replayNo > 0,
      nowSeconds: Math.floor(Date.now() / 1000),
      traceparent: span?.traceparent,
    });
    const timeoutMs = this.leaseTimes.callMs(target.timeoutMs);
    const outcome = await this.client.post({ url: target.endpointUrl, headers, body, timeoutMs });
    endAttemptSpan(span, outcome);
    return outcome;
  }

  private bodyOf(event: OutgoingEvent, format: PayloadFormat): Buffer {
    event.bodies ??= {};
    return (event.bodies[format] ??= Buffer.from(messageBody(format, event)));
  }
}
