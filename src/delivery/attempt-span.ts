import type { OutgoingOutcome } from '../platform/outgoing/outgoing-calls.js';
import type { Span } from '../platform/telemetry/span.js';
import type { Tracing } from '../platform/telemetry/tracing.js';
import type { WebhookTarget } from '../webhook/webhook-targets.service.js';
import { deliveryId } from './delivery-id.js';
import type { LeasedDelivery } from './leased-delivery.js';

/** Among the last members of an envelope; what a payload has of this name stands before them. */
const TRACEPARENT = /"traceparent":"([0-9a-f-]{55})","orgcode":"[^"]*","origin":"[a-z]+"\}$/;
const TAIL_CHARACTERS = 256;

/** A call of a webhook, in the trace of the publishing that led to it. Of the address only the host: paths may hold secrets. */
export function attemptSpan(
  tracing: Tracing,
  delivery: LeasedDelivery,
  envelope: string,
  { webhookId, endpointUrl }: WebhookTarget,
): Span | undefined {
  if (!tracing.isOn) return undefined;
  return tracing.begin({
    name: 'webhook attempt',
    kind: 'client',
    parent: publishedIn(envelope),
    attributes: {
      'server.address': endpointUrl.host,
      'ipm.orgcode': delivery.orgcode,
      'ipm.webhook_id': webhookId,
      'ipm.delivery_id': deliveryId(delivery),
      'ipm.attempt': delivery.attempts + 1,
    },
  });
}

export function endAttemptSpan(span: Span | undefined, { status, errorTag }: OutgoingOutcome): void {
  const failure = errorTag ?? (status !== undefined && status >= 300 ? `http_${status}` : undefined);
  span?.end({ 'http.response.status_code': status, 'error.type': failure }, failure);
}

/** The span of the request that published the event. */
function publishedIn(envelope: string): string | undefined {
  return TRACEPARENT.exec(envelope.slice(-TAIL_CHARACTERS))?.[1];
}
