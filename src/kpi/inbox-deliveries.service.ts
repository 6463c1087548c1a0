import { Injectable } from '@nestjs/common';
import { Configuration } from '../platform/config/configuration.js';
import { Database } from '../platform/database/database.js';
import { answerExcerpt } from '../platform/outgoing/answer-excerpt.js';
import { signingSecretOf } from '../platform/outgoing/message-signature.js';
import { OperatorClient } from '../platform/outgoing/operator-client.js';
import { notCalled, type OutgoingOutcome } from '../platform/outgoing/outgoing-calls.js';
import { verdictAfter, type Verdict } from '../platform/outgoing/retry-schedule.js';
import { log } from '../platform/telemetry/logger.js';
import { InboxDeliveryRepository, type AttemptResult } from './inbox-delivery.repository.js';
import { notificationBody, notificationHeaders, notificationIdIn } from './inbox-notification.js';
import { kpiAlertLifecycle, type KpiAlertDeliveryStatus } from './kpi-alert-lifecycle.js';
import type { AlertRecord } from './kpi-alert.repository.js';
import { KpiMeters } from './kpi-meters.service.js';

const TIMEOUT_MS = 10_000;
const LEASE_SECONDS = 60;
/** Of one inbox service: one that hangs holds its own calls and nobody else's. */
const AT_ONCE = 16;
const OF_ONE_ORGANISATION = 4;
const ANSWER_BYTES = 16 * 1024;

type InboxName = keyof Configuration['inbox']['urls'];

/** Sends alerts to the inboxes of the stack, on the schedule of deliveries, until they have them. */
@Injectable()
export class InboxDeliveries {
  private readonly onTheirWay: Record<InboxName, Map<string, number>> = {
    scm: new Map(),
    ics: new Map(),
    pcm: new Map(),
  };

  constructor(
    private readonly database: Database,
    private readonly repository: InboxDeliveryRepository,
    private readonly client: OperatorClient,
    private readonly configuration: Configuration,
    private readonly meters: KpiMeters,
  ) {}

  /** Begins with what is due, as much as may be on its way; who asks need not wait for the end of it. */
  async begin(service: InboxName): Promise<void> {
    const busy = this.onTheirWay[service];
    const atMost = AT_ONCE - [...busy.values()].reduce((sum, count) => sum + count, 0);
    if (atMost <= 0) return;
    const passOver = [...busy].filter(([, count]) => count >= OF_ONE_ORGANISATION).map(([orgcode]) => orgcode);
    const bounds = { inboxService: service, atMost, ofOne: OF_ONE_ORGANISATION, passOver, leaseSeconds: LEASE_SECONDS };
    const claimed = await this.database.acrossOrganisations('inbox delivery', (tx) =>
      this.repository.claim(tx, bounds),
    );
    for (const alert of claimed) void this.deliver(service, alert);
  }

  /** Never throws. */
  private async deliver(service: InboxName, alert: AlertRecord): Promise<void> {
    const busy = this.onTheirWay[service];
    busy.set(alert.orgcode, (busy.get(alert.orgcode) ?? 0) + 1);
    try {
      const outcome = await this.send(service, alert);
      const result = resultOf(alert, this.verdictOf(alert, outcome), outcome);
      await this.database.transaction(alert.orgcode, (tx) => this.repository.settle(tx, alert, result));
      this.meters.attempted(service, result.deliveryStatus);
    } catch (error) {
      log.warn({ err: error, alert_id: alert.alertId }, 'what an inbox said could not be noted; it is asked again');
    } finally {
      const left = (busy.get(alert.orgcode) ?? 1) - 1;
      if (left > 0) busy.set(alert.orgcode, left);
      else busy.delete(alert.orgcode);
    }
  }

  private send(service: InboxName, alert: AlertRecord): Promise<OutgoingOutcome> {
    const { urls, signingSecret } = this.configuration.inbox;
    const base = urls[service];
    if (base === undefined || signingSecret === undefined) return Promise.resolve(notCalled('inbox_not_configured'));
    const body = notificationBody(alert);
    const nowSeconds = Math.floor(Date.now() / 1_000);
    return this.client.post({
      url: new URL(`${base.replace(/\/+$/, '')}/inbox/notification/create`),
      headers: notificationHeaders(alert, body, signingSecretOf(signingSecret), nowSeconds),
      body,
      timeoutMs: TIMEOUT_MS,
      answerBytes: ANSWER_BYTES,
    });
  }

  private verdictOf({ attempts, createdAt }: AlertRecord, outcome: OutgoingOutcome): Verdict {
    const { retrySchedule, maxAgeSeconds } = this.configuration.delivery;
    const nowMs = Date.now();
    const circumstances = {
      attempts: attempts + 1,
      schedule: retrySchedule,
      ageSeconds: (nowMs - createdAt.getTime()) / 1_000,
      maxAgeSeconds,
      isAlone: false,
      nowMs,
    };
    return verdictAfter(outcome, circumstances, Math.random);
  }
}

/** What that means for the alert. One that says 410 wants no such notification: it is not asked again. */
function resultOf(alert: AlertRecord, verdict: Verdict, outcome: OutgoingOutcome): AttemptResult {
  if (verdict.kind === 'delivered')
    return {
      deliveryStatus: step('delivered'),
      dueAt: null,
      deliveryError: null,
      inboxNotificationId: notificationIdIn(outcome.excerpt),
    };
  const excerpt = answerExcerpt(outcome.excerpt.subarray(0, 1_024));
  const dueAt = verdict.kind === 'retry' ? new Date(Date.now() + verdict.afterMs) : null;
  const deliveryError = {
    error_tag: verdict.errorTag,
    ...(outcome.status === undefined ? {} : { http_status: outcome.status }),
    ...(excerpt === '' ? {} : { excerpt }),
    attempts: alert.attempts + 1,
    ...(dueAt ? { next_attempt_at: dueAt.toISOString() } : {}),
  };
  return { deliveryStatus: step(dueAt ? 'pending' : 'failed'), dueAt, deliveryError, inboxNotificationId: undefined };
}

function step(to: KpiAlertDeliveryStatus): KpiAlertDeliveryStatus {
  kpiAlertLifecycle.assertStep('pending', to);
  return to;
}
